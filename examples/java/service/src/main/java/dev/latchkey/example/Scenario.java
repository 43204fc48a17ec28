package dev.latchkey.example;

import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import dev.latchkey.v1.AccessToken;
import dev.latchkey.v1.Channel;
import dev.latchkey.v1.CreateAccessTokenRequest;
import dev.latchkey.v1.CreateAccessTokenResponse;
import dev.latchkey.v1.DeactivateAccessTokenRequest;
import dev.latchkey.v1.DeactivateReason;
import dev.latchkey.v1.Decision;
import dev.latchkey.v1.GetCallerRequest;
import dev.latchkey.v1.ListAccessTokensRequest;
import dev.latchkey.v1.Reason;
import dev.latchkey.v1.TokenServiceGrpc;
import dev.latchkey.v1.TokenServiceGrpc.TokenServiceBlockingStub;
import dev.latchkey.v1.ValidateRequest;
import dev.latchkey.v1.ValidationServiceGrpc;
import dev.latchkey.v1.ValidationServiceGrpc.ValidationServiceBlockingStub;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.health.v1.HealthGrpc.HealthBlockingStub;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** The script of examples/README.md on grpc-java. Prints `ok - STEP`, or `not ok - STEP: why`. */
public final class Scenario {
    private static final String LISTED = "203.0.113.7";
    private static final String UNLISTED = "203.0.114.7";

    private interface Step {
        void run() throws Exception;
    }

    private final String administrator = System.getenv("LATCHKEY_TOKEN");
    private final TokenServiceBlockingStub tokens;
    private final ValidationServiceBlockingStub validation;
    private final HealthBlockingStub health;
    private CreateAccessTokenResponse created = CreateAccessTokenResponse.getDefaultInstance();

    private Scenario(ManagedChannel channel) {
        tokens = TokenServiceGrpc.newBlockingStub(channel);
        validation = ValidationServiceGrpc.newBlockingStub(channel);
        health = HealthGrpc.newBlockingStub(channel);
    }

    public static void main(String[] arguments) throws Exception {
        ManagedChannel channel = Connection.open();
        boolean passed = new Scenario(channel).run();
        channel.shutdown();
        System.exit(passed ? 0 : 1);
    }

    private boolean run() {
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("creates a token", this::createToken);
        steps.put("allows a listed address", () -> expectDecision(LISTED, Reason.REASON_OK));
        steps.put("refuses an unlisted address", () -> expectDecision(UNLISTED, Reason.REASON_COMPANY_IP_NOT_LISTED));
        steps.put("names every bad field", this::nameBadFields);
        steps.put("pages through a list", this::pageThroughList);
        steps.put("deactivates and waits", this::deactivateAndWait);
        steps.put("refuses a deactivated token", () -> expectDecision(LISTED, Reason.REASON_DEACTIVATED));
        steps.put("honours a deadline", this::honourDeadline);
        steps.put("bears a cancel", this::bearCancel);
        steps.put("tells its health", this::tellHealth);
        steps.put("carries metadata", this::carryMetadata);
        boolean passed = true;
        for (Map.Entry<String, Step> step : steps.entrySet()) {
            try {
                step.getValue().run();
                System.out.println("ok - " + step.getKey());
            } catch (Exception why) {
                System.out.println("not ok - " + step.getKey() + ": " + why.getMessage());
                passed = false;
            }
        }
        return passed;
    }

    private void createToken() {
        created = byAdministrator().createAccessToken(CreateAccessTokenRequest.newBuilder()
                .setLabel("grpc-java")
                .addPermissions("charges.create")
                .setRequestId(UUID.randomUUID().toString())
                .setWaitForValidators(Duration.newBuilder().setSeconds(10))
                .build());
        expect(created.getSecret().length() == 55, "a secret of 55 characters");
        expect(created.getValidators().getAllConfirmed(), "all validators confirmed");
    }

    /** min_revision: by what was true when the token was made, or later. */
    private void expectDecision(String clientIp, Reason reason) {
        var answer = inTime(validation).validate(ValidateRequest.newBuilder()
                .setToken(created.getSecret())
                .setClientIp(clientIp)
                .setChannel(Channel.CHANNEL_API)
                .addPermissions("charges.create")
                .setMinRevision(created.getRevision())
                .build());
        boolean isAllowed = answer.getDecision() == Decision.DECISION_ALLOW;
        expect(answer.getReason() == reason && isAllowed == (reason == Reason.REASON_OK),
                reason + ", not " + answer.getReason());
        expect(!isAllowed || answer.getTokenId().equals(created.getAccessToken().getTokenId()), "the token's id");
    }

    private void nameBadFields() throws InvalidProtocolBufferException {
        StatusRuntimeException error = expectCode(Status.Code.INVALID_ARGUMENT, () -> byAdministrator()
                .createAccessToken(CreateAccessTokenRequest.newBuilder() // without a label
                        .addPermissions("charges.destroy")
                        .addAllowedIps("10.0.0.1/33")
                        .build()));
        List<String> fields = new ArrayList<>();
        for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
            if (detail.is(BadRequest.class)) {
                detail.unpack(BadRequest.class).getFieldViolationsList().forEach(bad -> fields.add(bad.getField()));
            }
        }
        for (String field : List.of("label", "permissions[0]", "allowed_ips[0]")) {
            expect(fields.contains(field), "a violation of " + field + ", not " + fields);
        }
    }

    private void pageThroughList() {
        List<String> found = new ArrayList<>();
        String pageToken = "";
        int pages = 0;
        do {
            var page = byAdministrator().listAccessTokens(
                    ListAccessTokensRequest.newBuilder().setPageSize(1).setPageToken(pageToken).build());
            expect(page.getAccessTokensCount() <= 1, "one token on a page");
            page.getAccessTokensList().stream().map(AccessToken::getTokenId).forEach(found::add);
            pageToken = page.getNextPageToken();
            pages++;
        } while (!pageToken.isEmpty());
        expect(pages > 1 && found.contains(created.getAccessToken().getTokenId()), "the token on one of several pages");
    }

    private void deactivateAndWait() {
        var answer = byAdministrator().deactivateAccessToken(DeactivateAccessTokenRequest.newBuilder()
                .setTokenId(created.getAccessToken().getTokenId())
                .setReason(DeactivateReason.DEACTIVATE_REASON_LEAKED)
                .setRequestId(UUID.randomUUID().toString())
                .setWaitForValidators(Duration.newBuilder().setSeconds(10))
                .build());
        expect(answer.getValidators().getAllConfirmed() && answer.getValidators().getLive() > 0,
                "all validators confirmed");
    }

    private void honourDeadline() throws Exception {
        HealthBlockingStub impatient = health.withDeadlineAfter(300, TimeUnit.MILLISECONDS);
        expectCode(Status.Code.DEADLINE_EXCEEDED,
                () -> readToEnd(impatient.watch(HealthCheckRequest.getDefaultInstance())));
    }

    private void bearCancel() throws Exception {
        Context.CancellableContext context = Context.current().withCancellation();
        context.run(() -> {
            Iterator<HealthCheckResponse> stream = inTime(health).watch(HealthCheckRequest.getDefaultInstance());
            stream.next();
            context.cancel(null);
            expectCode(Status.Code.CANCELLED, () -> readToEnd(stream));
        });
        byAdministrator().getCaller(GetCallerRequest.getDefaultInstance());
    }

    private void tellHealth() {
        for (String service : List.of("", "latchkey.v1.TokenService", "latchkey.v1.ValidationService")) {
            var answer = inTime(health).check(HealthCheckRequest.newBuilder().setService(service).build());
            expect(answer.getStatus() == ServingStatus.SERVING, service + " SERVING, not " + answer.getStatus());
        }
        expectCode(Status.Code.NOT_FOUND, () -> inTime(health).check(
                HealthCheckRequest.newBuilder().setService("no.such.Service").build()));
    }

    private void carryMetadata() {
        var caller = with("x-access-token", administrator, inTime(tokens))
                .getCaller(GetCallerRequest.getDefaultInstance()).getCaller();
        expect(caller.getTokenId().startsWith("tok_"), "the caller's token");
        expectCode(Status.Code.UNAUTHENTICATED, () -> inTime(tokens).getCaller(GetCallerRequest.getDefaultInstance()));
    }

    private TokenServiceBlockingStub byAdministrator() {
        return with("authorization", "Bearer " + administrator, inTime(tokens));
    }

    private static <S extends AbstractStub<S>> S inTime(S stub) {
        return stub.withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    private static <S extends AbstractStub<S>> S with(String key, String value, S stub) {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER), value);
        return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    }

    private static void readToEnd(Iterator<?> stream) {
        while (stream.hasNext()) {
            stream.next();
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("expected " + what);
        }
    }

    private static StatusRuntimeException expectCode(Status.Code code, Runnable call) {
        try {
            call.run();
        } catch (StatusRuntimeException error) {
            expect(error.getStatus().getCode() == code, code + ", not " + error.getStatus());
            return error;
        }
        throw new IllegalStateException("expected " + code + ", not OK");
    }
}
