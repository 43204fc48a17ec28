package dev.latchkey.example;

import dev.latchkey.v1.Channel;
import dev.latchkey.v1.Decision;
import dev.latchkey.v1.Reason;
import dev.latchkey.v1.ValidateRequest;
import dev.latchkey.v1.ValidateResponse;
import dev.latchkey.v1.ValidationServiceGrpc.ValidationServiceBlockingStub;
import io.grpc.StatusRuntimeException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * A request goes on only if Latchkey admits its bearer token, from the address it came from, for the permission that
 * the handler needs. Whatever goes wrong, the request is refused.
 */
public final class LatchkeyInterceptor implements HandlerInterceptor {
    /** The request's attribute in which a handler finds the ValidateResponse. */
    public static final String CALLER = "latchkey.caller";

    private final ValidationServiceBlockingStub validator;

    public LatchkeyInterceptor(ValidationServiceBlockingStub validator) {
        this.validator = validator;
    }

    @Override
    public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler) {
        ValidateRequest question = ValidateRequest.newBuilder()
                .setToken(findBearer(request))
                .setClientIp(request.getRemoteAddr())
                .setChannel(Channel.CHANNEL_API)
                .addAllPermissions(findPermissions(handler))
                .build();
        try {
            ValidateResponse answer = validator.withDeadlineAfter(1, TimeUnit.SECONDS).validate(question);
            if (answer.getDecision() != Decision.DECISION_ALLOW) {
                return refuse(response, answer.getReason());
            }
            request.setAttribute(CALLER, answer);
            return true;
        } catch (StatusRuntimeException noDecision) {
            response.setHeader("Retry-After", "1");
            response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            return false;
        }
    }

    private static String findBearer(HttpServletRequest request) {
        String value = request.getHeader("Authorization");
        return value != null && value.regionMatches(true, 0, "Bearer ", 0, 7) ? value.substring(7).trim() : "";
    }

    private static List<String> findPermissions(Object handler) {
        Permission needed = handler instanceof HandlerMethod method ? method.getMethodAnnotation(Permission.class) : null;
        return needed == null ? List.of() : List.of(needed.value());
    }

    private static boolean refuse(HttpServletResponse response, Reason reason) {
        switch (reason) {
            case REASON_MALFORMED, REASON_UNKNOWN, REASON_MEMBER_REMOVED, REASON_DEACTIVATED, REASON_SUSPENDED,
                    REASON_NOT_YET_VALID, REASON_EXPIRED -> {
                response.setHeader("WWW-Authenticate", "Bearer error=\"invalid_token\"");
                response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
            }
            case REASON_PERMISSION_MISSING -> {
                response.setHeader("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
                response.setStatus(HttpServletResponse.SC_FORBIDDEN);
            }
            default -> response.setStatus(HttpServletResponse.SC_FORBIDDEN);
        }
        return false;
    }
}
