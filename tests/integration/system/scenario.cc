// The scenario of tests/lib/latchkey_test/scenario.py on grpc++. Prints `ok - STEP`, or `not ok - STEP: why`.
#include <functional>
#include <iostream>
#include <set>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "latchkey/v1/token.grpc.pb.h"
#include "latchkey/v1/validation.grpc.pb.h"
#include "tests/integration/system/client.hh"

using namespace latchkey::v1;
using namespace latchkey_test;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

void Expect(bool holds, const std::string &what) {
    if (!holds)
        throw std::runtime_error(what);
}

void ExpectCode(const grpc::Status &status, grpc::StatusCode code) {
    Expect(status.error_code() == code,
           "expected code " + std::to_string(code) + ", got " + Describe(status));
}

class Scenario {
  public:
    explicit Scenario(const std::string &address)
        : channel_(Connect(address)), administrator_(Environment("LATCHKEY_TOKEN")),
          tokens_(TokenService::NewStub(channel_)), validation_(ValidationService::NewStub(channel_)),
          health_(grpc::health::v1::Health::NewStub(channel_)),
          reflection_(grpc::reflection::v1::ServerReflection::NewStub(channel_)) {}

    void CreatesAToken() {
        grpc::ClientContext context;
        Prepare(context, administrator_);
        CreateAccessTokenRequest request;
        request.set_label("grpc++");
        request.add_permissions("charges.create");
        request.mutable_wait_for_validators()->set_seconds(10);
        ExpectCode(tokens_->CreateAccessToken(&context, request, &created_), grpc::OK);
        Expect(created_.secret().size() == 55, "a secret of 55 characters");
        Expect(created_.validators().all_confirmed(), "all validators confirmed");
    }

    void AllowsAListedAddress() {
        ValidateResponse response = Validate("203.0.113.7");
        Expect(response.decision() == DECISION_ALLOW && response.reason() == REASON_OK, Show(response));
        Expect(response.token_id() == created_.access_token().token_id(), "the token's id");
    }

    void RefusesAnUnlistedAddress() {
        ValidateResponse response = Validate("203.0.114.7");
        Expect(response.decision() == DECISION_DENY && response.reason() == REASON_COMPANY_IP_NOT_LISTED,
               Show(response));
    }

    void NamesEveryBadField() {
        grpc::ClientContext context;
        Prepare(context, administrator_);
        CreateAccessTokenRequest request; // without a label
        request.add_permissions("charges.destroy");
        request.add_allowed_ips("10.0.0.1/33");
        CreateAccessTokenResponse response;
        grpc::Status status = tokens_->CreateAccessToken(&context, request, &response);
        ExpectCode(status, grpc::INVALID_ARGUMENT);
        google::rpc::BadRequest bad_request;
        Expect(FindDetail(status, &bad_request), "a BadRequest in the details");
        std::set<std::string> fields;
        for (const auto &violation : bad_request.field_violations())
            fields.insert(violation.field());
        for (const char *field : {"label", "permissions[0]", "allowed_ips[0]"})
            Expect(fields.count(field), std::string("a violation of ") + field);
    }

    void DeactivatesAndWaits() {
        grpc::ClientContext context;
        Prepare(context, administrator_);
        DeactivateAccessTokenRequest request;
        request.set_token_id(created_.access_token().token_id());
        request.set_reason(DEACTIVATE_REASON_LEAKED);
        request.mutable_wait_for_validators()->set_seconds(10);
        DeactivateAccessTokenResponse response;
        ExpectCode(tokens_->DeactivateAccessToken(&context, request, &response), grpc::OK);
        Expect(response.validators().all_confirmed() && response.validators().live() > 0,
               "all validators confirmed");
    }

    void RefusesADeactivatedToken() {
        ValidateResponse response = Validate("203.0.113.7");
        Expect(response.decision() == DECISION_DENY && response.reason() == REASON_DEACTIVATED,
               Show(response));
    }

    void HonoursADeadline() {
        grpc::ClientContext context;
        Prepare(context, "", std::chrono::milliseconds(300));
        auto stream = health_->Watch(&context, HealthCheckRequest());
        HealthCheckResponse response;
        while (stream->Read(&response)) {
        }
        ExpectCode(stream->Finish(), grpc::DEADLINE_EXCEEDED);
    }

    void BearsACancel() {
        grpc::ClientContext context;
        Prepare(context, "");
        auto stream = health_->Watch(&context, HealthCheckRequest());
        HealthCheckResponse response;
        Expect(stream->Read(&response), "a first answer");
        context.TryCancel();
        while (stream->Read(&response)) {
        }
        ExpectCode(stream->Finish(), grpc::CANCELLED);

        grpc::ClientContext next;
        Prepare(next, administrator_);
        GetCallerResponse caller;
        ExpectCode(tokens_->GetCaller(&next, GetCallerRequest(), &caller), grpc::OK);
    }

    void TellsItsHealth() {
        for (const char *service : {"", "latchkey.v1.TokenService", "latchkey.v1.ValidationService"}) {
            grpc::ClientContext context;
            Prepare(context, "");
            HealthCheckRequest request;
            request.set_service(service);
            HealthCheckResponse response;
            ExpectCode(health_->Check(&context, request, &response), grpc::OK);
            Expect(response.status() == HealthCheckResponse::SERVING, "SERVING");
        }
        grpc::ClientContext context;
        Prepare(context, "");
        HealthCheckRequest request;
        request.set_service("no.such.Service");
        HealthCheckResponse response;
        ExpectCode(health_->Check(&context, request, &response), grpc::NOT_FOUND);
    }

    void DescribesItself() {
        grpc::ClientContext context;
        Prepare(context, "");
        auto stream = reflection_->ServerReflectionInfo(&context);
        grpc::reflection::v1::ServerReflectionRequest request;
        request.set_list_services("");
        stream->Write(request);
        grpc::reflection::v1::ServerReflectionResponse response;
        Expect(stream->Read(&response), "an answer");
        std::set<std::string> names;
        for (const auto &service : response.list_services_response().service())
            names.insert(service.name());
        Expect(names.count("latchkey.v1.ValidationService") && names.count("latchkey.v1.TokenService"),
               "our services");
        stream->WritesDone();
        ExpectCode(stream->Finish(), grpc::OK);
    }

  private:
    ValidateResponse Validate(const std::string &client_ip) {
        grpc::ClientContext context;
        Prepare(context, "");
        ValidateRequest request;
        request.set_token(created_.secret());
        request.set_client_ip(client_ip);
        request.set_channel(CHANNEL_API);
        request.add_permissions("charges.create");
        ValidateResponse response;
        ExpectCode(validation_->Validate(&context, request, &response), grpc::OK);
        return response;
    }

    static std::string Show(const ValidateResponse &response) {
        return "got " + Decision_Name(response.decision()) + " " + Reason_Name(response.reason());
    }

    std::shared_ptr<grpc::Channel> channel_;
    std::string administrator_;
    std::unique_ptr<TokenService::Stub> tokens_;
    std::unique_ptr<ValidationService::Stub> validation_;
    std::unique_ptr<grpc::health::v1::Health::Stub> health_;
    std::unique_ptr<grpc::reflection::v1::ServerReflection::Stub> reflection_;
    CreateAccessTokenResponse created_;
};

const std::pair<const char *, void (Scenario::*)()> kSteps[] = {
    {"creates a token", &Scenario::CreatesAToken},
    {"allows a listed address", &Scenario::AllowsAListedAddress},
    {"refuses an unlisted address", &Scenario::RefusesAnUnlistedAddress},
    {"names every bad field", &Scenario::NamesEveryBadField},
    {"deactivates and waits", &Scenario::DeactivatesAndWaits},
    {"refuses a deactivated token", &Scenario::RefusesADeactivatedToken},
    {"honours a deadline", &Scenario::HonoursADeadline},
    {"bears a cancel", &Scenario::BearsACancel},
    {"tells its health", &Scenario::TellsItsHealth},
    {"describes itself", &Scenario::DescribesItself},
};

} // namespace

int main() {
    Scenario scenario(Environment("LATCHKEY_ADDRESS"));
    bool failed = false;
    for (const auto &[name, step] : kSteps) {
        try {
            (scenario.*step)();
            std::cout << "ok - " << name << std::endl;
        } catch (const std::exception &error) {
            std::cout << "not ok - " << name << ": " << error.what() << std::endl;
            failed = true;
        }
    }
    return failed;
}
