// The peer: Validate of the same contract on grpc++, with hardly a decision behind it: any token from anywhere is
// allowed. It parses the request and builds the answer, so it does less than a validator and more than the limit.
//
// usage: bench-grpcpp callback|async
// callback: grpc++'s own threads. async: one thread on one completion queue, as grpc's own benchmarks have it.
#include <grpcpp/grpcpp.h>
#include <iostream>
#include <memory>
#include <string>

#include "latchkey/v1/validation.grpc.pb.h"

using namespace latchkey::v1;

namespace {

constexpr int kMaxStreams = 1000;

void Decide(const ValidateRequest &request, ValidateResponse *response) {
    if (request.token().empty() || request.client_ip().empty()) {
        response->set_decision(DECISION_DENY);
        response->set_reason(REASON_MALFORMED);
        return;
    }
    response->set_decision(DECISION_ALLOW);
    response->set_reason(REASON_OK);
    response->set_company_id("cmp_01jd3ge8x9f0r8q6k3n2v5t7wy");
    response->set_token_id("tok_01jd3ge8x9f0r8q6k3n2v5t7wz");
}

class CallbackService final : public ValidationService::CallbackService {
    grpc::ServerUnaryReactor *Validate(grpc::CallbackServerContext *context, const ValidateRequest *request,
                                       ValidateResponse *response) override {
        Decide(*request, response);
        grpc::ServerUnaryReactor *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

using AsyncService = ValidationService::WithAsyncMethod_Validate<ValidationService::Service>;

// One call of the asynchronous server; used again when it has been answered.
class Call {
  public:
    Call(AsyncService *service, grpc::ServerCompletionQueue *queue) : service_(service), queue_(queue) {
        Await();
    }

    void Advance(bool is_ok) {
        if (is_answered_ || !is_ok)
            Await();
        else
            Answer();
    }

  private:
    void Await() {
        is_answered_ = false;
        context_ = std::make_unique<grpc::ServerContext>();
        writer_ = std::make_unique<grpc::ServerAsyncResponseWriter<ValidateResponse>>(context_.get());
        response_.Clear();
        service_->RequestValidate(context_.get(), &request_, writer_.get(), queue_, queue_, this);
    }

    void Answer() {
        is_answered_ = true;
        Decide(request_, &response_);
        writer_->Finish(response_, grpc::Status::OK, this);
    }

    AsyncService *service_;
    grpc::ServerCompletionQueue *queue_;
    std::unique_ptr<grpc::ServerContext> context_;
    std::unique_ptr<grpc::ServerAsyncResponseWriter<ValidateResponse>> writer_;
    ValidateRequest request_;
    ValidateResponse response_;
    bool is_answered_ = false;
};

void ServeAsync(AsyncService *service, grpc::ServerCompletionQueue *queue) {
    for (int i = 0; i < kMaxStreams; i++)
        new Call(service, queue);
    void *call;
    bool is_ok;
    while (queue->Next(&call, &is_ok))
        static_cast<Call *>(call)->Advance(is_ok);
}

} // namespace

int main(int argc, char **argv) {
    std::string mode = argc == 2 ? argv[1] : "";
    if (mode != "callback" && mode != "async") {
        std::cerr << "usage: bench-grpcpp callback|async" << std::endl;
        return 64;
    }
    int port = 0;
    CallbackService callback_service;
    AsyncService async_service;
    grpc::ServerBuilder builder;
    std::unique_ptr<grpc::ServerCompletionQueue> queue;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
    if (mode == "async") {
        builder.RegisterService(&async_service);
        queue = builder.AddCompletionQueue();
    } else {
        builder.RegisterService(&callback_service);
    }
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server)
        return 1;
    std::cout << "listening 127.0.0.1:" << port << std::endl;
    if (queue)
        ServeAsync(&async_service, queue.get());
    server->Wait();
    return 0;
}
