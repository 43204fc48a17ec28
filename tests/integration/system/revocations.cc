// Makes tokens and deactivates them with wait_for_validators, many at once, and asks every validator before,
// during and after. The promise: once a deactivation is acknowledged with all validators confirmed, no
// validator answers ALLOW to a question that is asked then. Prints one JSON object.
//
// usage: grpcpp-revocations MANAGEMENT VALIDATOR,... COUNT WORKERS   (LATCHKEY_TOKEN: who makes the tokens)
//
// Latencies count from the moment before the deactivation was sent: `confirmed_us` to its answer,
// `refused_us` to the first refusal at the last of the validators to refuse.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "latchkey/v1/token.grpc.pb.h"
#include "latchkey/v1/validation.grpc.pb.h"
#include "tests/integration/system/client.hh"

using namespace latchkey::v1;
using namespace latchkey_test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kQuestionsAfter = 3; // of each validator, after each acknowledgement
// One worker measures latencies, on a quiet system; many are to leave the servers some of the processors.
constexpr auto kBetweenQuestionsOfOne = std::chrono::microseconds(200);
constexpr auto kBetweenQuestionsOfMany = std::chrono::milliseconds(5);
constexpr size_t kRemembered = 4096; // ended tokens that the load asks about

struct Tally {
    std::mutex mutex;
    uint64_t acknowledged = 0;
    uint64_t unconfirmed = 0;   // acknowledged, but not by all validators in time
    uint64_t allowed_after = 0; // what must not be
    uint64_t asked_after = 0, asked_by_load = 0;
    std::vector<uint64_t> confirmed_us, refused_us;
    std::vector<std::string> ended; // secrets of tokens whose end was confirmed
    std::vector<std::string> failures;

    void Fail(const std::string &what) {
        std::lock_guard<std::mutex> lock(mutex);
        failures.push_back(what);
    }
};

uint64_t MicrosecondsSince(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
}

// One validator as one thread talks to it.
class Validator {
  public:
    Validator(const std::string &address, int number)
        : stub_(ValidationService::NewStub(Connect(address, number))) {}

    // The reason, or REASON_UNSPECIFIED when the validator refused to decide, which admits nobody.
    Reason Ask(const std::string &secret, const std::string &min_revision = "") {
        grpc::ClientContext context;
        Prepare(context, "", std::chrono::seconds(5));
        ValidateRequest request;
        request.set_token(secret);
        request.set_client_ip("203.0.113.7");
        request.set_channel(CHANNEL_API);
        request.set_min_revision(min_revision);
        ValidateResponse response;
        grpc::Status status = stub_->Validate(&context, request, &response);
        return status.ok() ? response.reason() : REASON_UNSPECIFIED;
    }

    bool AdmitsWithin(const std::string &secret, const std::string &revision, std::chrono::seconds patience) {
        for (auto until = Clock::now() + patience; Clock::now() < until;)
            if (Ask(secret, revision) == REASON_OK)
                return true;
        return false;
    }

  private:
    std::unique_ptr<ValidationService::Stub> stub_;
};

class Worker {
  public:
    Worker(const std::string &management, const std::vector<std::string> &validators, int number,
           std::chrono::microseconds pause, Tally *tally)
        : tokens_(TokenService::NewStub(Connect(management, number))), pause_(pause), tally_(tally) {
        for (const std::string &address : validators)
            validators_.emplace_back(address, number);
    }

    void Run(std::atomic<int64_t> *left) {
        while (left->fetch_sub(1) > 0)
            if (!RevokeOne())
                return;
    }

  private:
    bool RevokeOne() {
        CreateAccessTokenResponse created;
        if (!Create(&created))
            return false;
        for (Validator &validator : validators_)
            if (!validator.AdmitsWithin(created.secret(), created.revision(), std::chrono::seconds(10))) {
                tally_->Fail("a new token is not admitted within 10 s");
                return false;
            }
        return Deactivate(created.access_token().token_id(), created.secret());
    }

    bool Create(CreateAccessTokenResponse *ret_created) {
        grpc::ClientContext context;
        Prepare(context, Environment("LATCHKEY_TOKEN"));
        CreateAccessTokenRequest request;
        request.set_label("to be revoked");
        grpc::Status status = tokens_->CreateAccessToken(&context, request, ret_created);
        if (!status.ok())
            tally_->Fail("CreateAccessToken: " + Describe(status));
        return status.ok();
    }

    // The call is under way on grpc++'s threads while this one asks the validators.
    bool Deactivate(const std::string &token_id, const std::string &secret) {
        grpc::ClientContext context;
        Prepare(context, Environment("LATCHKEY_TOKEN"), std::chrono::seconds(40));
        DeactivateAccessTokenRequest request;
        request.set_token_id(token_id);
        request.set_reason(DEACTIVATE_REASON_LEAKED);
        request.mutable_wait_for_validators()->set_seconds(30);
        DeactivateAccessTokenResponse response;
        grpc::Status status;
        std::atomic<bool> is_answered{false};
        std::atomic<uint64_t> confirmed_us{0};
        Clock::time_point start = Clock::now();
        tokens_->async()->DeactivateAccessToken(&context, &request, &response, [&](grpc::Status answer) {
            status = answer;
            confirmed_us = MicrosecondsSince(start);
            is_answered.store(true, std::memory_order_release);
        });
        uint64_t refused_us = WatchRefusals(secret, start, is_answered);
        if (!status.ok()) {
            tally_->Fail("DeactivateAccessToken: " + Describe(status));
            return false;
        }
        bool is_confirmed = response.validators().all_confirmed();
        uint64_t allowed = is_confirmed ? CountAdmissions(secret) : 0;
        std::lock_guard<std::mutex> lock(tally_->mutex);
        tally_->acknowledged++;
        tally_->unconfirmed += !is_confirmed;
        tally_->allowed_after += allowed;
        tally_->asked_after += is_confirmed ? kQuestionsAfter * validators_.size() : 0;
        tally_->confirmed_us.push_back(confirmed_us);
        tally_->refused_us.push_back(refused_us);
        if (is_confirmed && tally_->ended.size() < kRemembered)
            tally_->ended.push_back(secret);
        return true;
    }

    // Until the call is answered and, for 30 s at most, every validator has refused.
    uint64_t WatchRefusals(const std::string &secret, Clock::time_point start,
                           const std::atomic<bool> &is_answered) {
        uint64_t refused_us = 0;
        std::vector<bool> has_refused(validators_.size());
        auto all_refused = [&] {
            return std::all_of(has_refused.begin(), has_refused.end(), [](bool is) { return is; });
        };
        while (!is_answered.load(std::memory_order_acquire) ||
               (!all_refused() && MicrosecondsSince(start) < 30'000'000)) {
            for (size_t i = 0; i < validators_.size(); i++)
                if (!has_refused[i] && validators_[i].Ask(secret) == REASON_DEACTIVATED) {
                    has_refused[i] = true;
                    refused_us = MicrosecondsSince(start);
                }
            std::this_thread::sleep_for(pause_);
        }
        return refused_us;
    }

    uint64_t CountAdmissions(const std::string &secret) {
        uint64_t admissions = 0;
        for (int i = 0; i < kQuestionsAfter; i++)
            for (Validator &validator : validators_)
                admissions += validator.Ask(secret) == REASON_OK;
        return admissions;
    }

    std::unique_ptr<TokenService::Stub> tokens_;
    std::vector<Validator> validators_;
    std::chrono::microseconds pause_;
    Tally *tally_;
};

// Asks about tokens that have ended, in turn and one at once after the other, as long as the workers work.
void Load(const std::string &address, const std::atomic<bool> &is_over, Tally *tally) {
    Validator validator(address, -1);
    for (size_t i = 0; !is_over; i++) {
        std::string secret;
        {
            std::lock_guard<std::mutex> lock(tally->mutex);
            if (!tally->ended.empty())
                secret = tally->ended[i % tally->ended.size()];
        }
        bool is_admitted = !secret.empty() && validator.Ask(secret) == REASON_OK;
        {
            std::lock_guard<std::mutex> lock(tally->mutex);
            tally->asked_by_load += !secret.empty();
            tally->allowed_after += is_admitted;
        }
        if (secret.empty())
            std::this_thread::sleep_for(kBetweenQuestionsOfMany);
    }
}

std::vector<std::string> Split(const std::string &text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');)
        parts.push_back(part);
    return parts;
}

void PrintNumbers(const char *name, const std::vector<uint64_t> &numbers) {
    std::cout << "\"" << name << "\": [";
    for (size_t i = 0; i < numbers.size(); i++)
        std::cout << (i ? "," : "") << numbers[i];
    std::cout << "], ";
}

void Print(const Tally &tally) {
    std::cout << "{";
    PrintNumbers("confirmed_us", tally.confirmed_us);
    PrintNumbers("refused_us", tally.refused_us);
    std::cout << "\"acknowledged\": " << tally.acknowledged << ", \"unconfirmed\": " << tally.unconfirmed
              << ", \"allowed_after\": " << tally.allowed_after << ", \"asked_after\": " << tally.asked_after
              << ", \"asked_by_load\": " << tally.asked_by_load << "}" << std::endl;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 5) {
        std::cerr << "usage: grpcpp-revocations MANAGEMENT VALIDATOR,... COUNT WORKERS" << std::endl;
        return 64;
    }
    std::vector<std::string> validators = Split(argv[2]);
    std::atomic<int64_t> left{std::stoll(argv[3])};
    int worker_count = std::stoi(argv[4]);
    bool is_loaded = worker_count > 1;
    std::chrono::microseconds pause = kBetweenQuestionsOfOne;
    if (is_loaded)
        pause = kBetweenQuestionsOfMany;

    Tally tally;
    std::atomic<bool> is_over{false};
    std::vector<std::thread> load, workers;
    if (is_loaded)
        for (const std::string &address : validators)
            load.emplace_back([&, address] { Load(address, is_over, &tally); });
    for (int i = 0; i < worker_count; i++)
        workers.emplace_back([&, i] { Worker(argv[1], validators, i, pause, &tally).Run(&left); });
    for (std::thread &thread : workers)
        thread.join();
    is_over = true;
    for (std::thread &thread : load)
        thread.join();

    for (const std::string &failure : tally.failures)
        std::cerr << failure << std::endl;
    Print(tally);
    return !tally.failures.empty() || tally.allowed_after > 0;
}
