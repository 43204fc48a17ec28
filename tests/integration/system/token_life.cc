// The whole life of an access token on grpc++: made, changed, suspended, rotated, reported, taken over from elsewhere,
// ended with others; what the validator says of it after each. Prints `ok - STEP`, or `not ok - STEP: why`.
#include <functional>
#include <iostream>

#include "latchkey/v1/token.grpc.pb.h"
#include "latchkey/v1/validation.grpc.pb.h"
#include "tests/integration/system/client.hh"

using namespace latchkey::v1;
using namespace latchkey_test;

namespace {

void Expect(bool holds, const std::string &what) {
    if (!holds)
        throw std::runtime_error(what);
}

class Life {
  public:
    explicit Life(const std::string &address)
        : channel_(Connect(address)), administrator_(Environment("LATCHKEY_TOKEN")),
          tokens_(TokenService::NewStub(channel_)), validation_(ValidationService::NewStub(channel_)) {}

    void IsMade() {
        CreateAccessTokenRequest request;
        request.set_label("grpc++ life");
        request.add_permissions("charges.read");
        CreateAccessTokenResponse response;
        Call(&TokenService::Stub::CreateAccessToken, request, &response);
        token_id_ = response.access_token().token_id();
        first_secret_ = response.secret();
        ExpectReason(first_secret_, REASON_OK);
    }

    void IsUpdated() {
        UpdateAccessTokenRequest request;
        request.mutable_access_token()->set_token_id(token_id_);
        request.mutable_access_token()->add_allowed_ips("203.0.113.0/24");
        request.mutable_update_mask()->add_paths("allowed_ips");
        UpdateAccessTokenResponse response;
        Call(&TokenService::Stub::UpdateAccessToken, request, &response);
        Expect(response.access_token().allowed_ips_size() == 1, "one address");
        ExpectReason(first_secret_, REASON_OK, "203.0.113.9");
        ExpectReason(first_secret_, REASON_TOKEN_IP_NOT_LISTED, "203.0.114.9");
    }

    void IsSuspendedAndResumed() {
        SuspendAccessTokenRequest suspend;
        suspend.set_token_id(token_id_);
        SuspendAccessTokenResponse suspended;
        Call(&TokenService::Stub::SuspendAccessToken, suspend, &suspended);
        Expect(suspended.access_token().state() == TOKEN_STATE_SUSPENDED, "SUSPENDED");
        ExpectReason(first_secret_, REASON_SUSPENDED);
        ResumeAccessTokenRequest resume;
        resume.set_token_id(token_id_);
        ResumeAccessTokenResponse resumed;
        Call(&TokenService::Stub::ResumeAccessToken, resume, &resumed);
        ExpectReason(first_secret_, REASON_OK);
    }

    void IsRotated() {
        RotateAccessTokenRequest request;
        request.set_token_id(token_id_);
        request.mutable_grace()->set_seconds(3600);
        RotateAccessTokenResponse response;
        Call(&TokenService::Stub::RotateAccessToken, request, &response);
        Expect(response.access_token().secrets_size() == 2, "two secrets");
        second_secret_ = response.secret();
        ExpectReason(first_secret_, REASON_OK);
        ExpectReason(second_secret_, REASON_OK);

        RotateAccessTokenResponse refused;
        grpc::Status status = Try(&TokenService::Stub::RotateAccessToken, request, &refused);
        google::rpc::ErrorInfo info;
        Expect(status.error_code() == grpc::FAILED_PRECONDITION && FindDetail(status, &info) &&
                   info.reason() == "ROTATION_IN_GRACE",
               Describe(status));
        request.set_supersede(true);
        request.clear_grace();
        Call(&TokenService::Stub::RotateAccessToken, request, &response);
        ExpectReason(first_secret_, REASON_EXPIRED);
        ExpectReason(second_secret_, REASON_EXPIRED);
        ExpectReason(response.secret(), REASON_OK);
        second_secret_ = response.secret();
    }

    void IsReported() {
        ReportLeakedTokenRequest request;
        ReportLeakedTokenResponse response;
        for (const std::string &secret : {std::string("nobody's"), second_secret_}) {
            request.set_secret(secret);
            grpc::ClientContext context;
            Prepare(context, "");
            grpc::Status status = tokens_->ReportLeakedToken(&context, request, &response);
            Expect(status.ok(), Describe(status));
        }
        GetAccessTokenRequest get;
        get.set_token_id(token_id_);
        GetAccessTokenResponse got;
        Call(&TokenService::Stub::GetAccessToken, get, &got);
        Expect(got.access_token().deactivate_reason() == DEACTIVATE_REASON_LEAKED, "LEAKED");
    }

    void OthersAreTakenOverAndEndedTogether() {
        ImportAccessTokensRequest import;
        for (int number = 0; number < 3; number++) {
            auto *token = import.add_tokens();
            token->set_label(number == 1 ? "" : "grpc++ taken over");
            token->set_secret_sha256(std::string(31, 'x') + static_cast<char>('0' + number));
        }
        ImportAccessTokensResponse imported;
        Call(&TokenService::Stub::ImportAccessTokens, import, &imported);
        Expect(imported.results_size() == 3 && imported.results(0).has_access_token() &&
                   imported.results(1).error().code() == grpc::INVALID_ARGUMENT &&
                   imported.results(2).has_access_token(),
               imported.ShortDebugString());
        DeactivateAccessTokensRequest end;
        end.set_label_contains("grpc++ taken over");
        end.set_dry_run(true);
        DeactivateAccessTokensResponse ended;
        Call(&TokenService::Stub::DeactivateAccessTokens, end, &ended);
        Expect(ended.count() == 2, "two would be ended");
        end.set_dry_run(false);
        Call(&TokenService::Stub::DeactivateAccessTokens, end, &ended);
        Expect(ended.count() == 2 && ended.token_ids_size() == 2, "two were ended");
    }

  private:
    template <typename Method, typename Request, typename Response>
    grpc::Status Try(Method method, Request &request, Response *response) {
        grpc::ClientContext context;
        Prepare(context, administrator_);
        return (tokens_.get()->*method)(&context, request, response);
    }

    // With the wait for validators where the method has one; it must succeed.
    template <typename Method, typename Request, typename Response>
    void Call(Method method, Request &request, Response *response) {
        const auto *wait = Request::descriptor()->FindFieldByName("wait_for_validators");
        if (wait) {
            auto *duration = Request::GetReflection()->MutableMessage(&request, wait);
            static_cast<google::protobuf::Duration *>(duration)->set_seconds(10);
        }
        grpc::Status status = Try(method, request, response);
        Expect(status.ok(), Describe(status));
    }

    void ExpectReason(const std::string &secret, Reason expected, const std::string &client_ip = "203.0.113.7") {
        grpc::ClientContext context;
        Prepare(context, "");
        ValidateRequest request;
        request.set_token(secret);
        request.set_client_ip(client_ip);
        request.set_channel(CHANNEL_API);
        ValidateResponse response;
        grpc::Status status = validation_->Validate(&context, request, &response);
        Expect(status.ok(), Describe(status));
        Expect(response.reason() == expected,
               "expected " + Reason_Name(expected) + ", got " + Reason_Name(response.reason()));
    }

    std::shared_ptr<grpc::Channel> channel_;
    std::string administrator_, token_id_, first_secret_, second_secret_;
    std::unique_ptr<TokenService::Stub> tokens_;
    std::unique_ptr<ValidationService::Stub> validation_;
};

const std::pair<const char *, void (Life::*)()> kSteps[] = {
    {"is made", &Life::IsMade},
    {"is updated", &Life::IsUpdated},
    {"is suspended and resumed", &Life::IsSuspendedAndResumed},
    {"is rotated", &Life::IsRotated},
    {"is reported", &Life::IsReported},
    {"others are taken over and ended together", &Life::OthersAreTakenOverAndEndedTogether},
};

} // namespace

int main() {
    Life life(Environment("LATCHKEY_ADDRESS"));
    bool failed = false;
    for (const auto &[name, step] : kSteps) {
        try {
            (life.*step)();
            std::cout << "ok - " << name << std::endl;
        } catch (const std::exception &error) {
            std::cout << "not ok - " << name << ": " << error.what() << std::endl;
            failed = true;
        }
    }
    return failed;
}
