// Asks one validator about every line of standard input, TOKEN<TAB>CLIENT_IP<TAB>CHANNEL, with many calls
// under way at once over a few connections; prints a line for each, in the same order: the number of the
// reason, or `error` with code and reason. usage: grpcpp-validate-many ADDRESS
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <vector>

#include "latchkey/v1/validation.grpc.pb.h"
#include "tests/integration/system/client.hh"

using namespace latchkey::v1;
using namespace latchkey_test;

namespace {

constexpr int kConnections = 4;
constexpr int kUnderWay = 400;

struct Question {
    grpc::ClientContext context;
    ValidateRequest request;
    ValidateResponse response;
};

// Counts the calls under way: waits while there are as many as may be.
class Gate {
  public:
    void Enter() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return inside_ < kUnderWay; });
        inside_++;
    }
    void Leave() {
        std::lock_guard<std::mutex> lock(mutex_);
        inside_--;
        changed_.notify_all();
    }
    void WaitEmpty() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return inside_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_ = 0;
};

bool ParseLine(const std::string &line, ValidateRequest *ret) {
    size_t first = line.find('\t'), second = line.find('\t', first + 1);
    if (first == std::string::npos || second == std::string::npos)
        return false;
    ret->set_token(line.substr(0, first));
    ret->set_client_ip(line.substr(first + 1, second - first - 1));
    ret->set_channel(static_cast<Channel>(std::stoi(line.substr(second + 1))));
    return true;
}

std::string DescribeAnswer(const grpc::Status &status, const ValidateResponse &response) {
    if (!status.ok())
        return "error " + Describe(status);
    bool is_consistent = (response.decision() == DECISION_ALLOW) == (response.reason() == REASON_OK);
    return is_consistent ? std::to_string(response.reason()) : "error decision and reason contradict";
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: grpcpp-validate-many ADDRESS" << std::endl;
        return 64;
    }
    std::vector<std::unique_ptr<ValidationService::Stub>> stubs;
    for (int i = 0; i < kConnections; i++)
        stubs.push_back(ValidationService::NewStub(Connect(argv[1], i)));

    std::vector<std::string> lines, answers;
    for (std::string line; std::getline(std::cin, line);)
        lines.push_back(line);
    answers.resize(lines.size());

    Gate gate;
    for (size_t i = 0; i < lines.size(); i++) {
        auto *question = new Question;
        if (!ParseLine(lines[i], &question->request)) {
            std::cerr << "line " << i + 1 << " is no question" << std::endl;
            return 65;
        }
        Prepare(question->context, "", std::chrono::seconds(60));
        gate.Enter();
        stubs[i % kConnections]->async()->Validate(
            &question->context, &question->request, &question->response,
            [question, &answer = answers[i], &gate](grpc::Status status) {
                answer = DescribeAnswer(status, question->response);
                delete question;
                gate.Leave();
            });
    }
    gate.WaitEmpty();
    for (const std::string &answer : answers)
        std::cout << answer << '\n';
    return 0;
}
