// What the grpc++ clients share: a connection of one's own, a caller's secret on a call, and the details of a
// failed one.
#pragma once

#include <chrono>
#include <cstdlib>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace latchkey_test {

// Channels with equal arguments would share one connection; `number` keeps them apart.
inline std::shared_ptr<grpc::Channel> Connect(const std::string &address, int number = 0) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt("latchkey.number", number);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

inline std::string Environment(const char *name) {
    const char *value = std::getenv(name);
    if (!value)
        throw std::runtime_error(std::string("needs ") + name + " in the environment");
    return value;
}

// A call that ends within `timeout`, by whoever `secret` names (nobody if it is empty).
inline void Prepare(grpc::ClientContext &context, const std::string &secret,
                    std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    if (!secret.empty())
        context.AddMetadata("authorization", "Bearer " + secret);
}

// The detail of this type that a failed call carries; false if it has none.
template <typename Detail> bool FindDetail(const grpc::Status &status, Detail *ret) {
    google::rpc::Status details;
    if (!details.ParseFromString(status.error_details()) || details.code() != status.error_code())
        return false;
    for (const auto &detail : details.details())
        if (detail.UnpackTo(ret))
            return true;
    return false;
}

inline std::string Describe(const grpc::Status &status) {
    google::rpc::ErrorInfo info;
    std::string reason = FindDetail(status, &info) ? " " + info.reason() : "";
    return "code " + std::to_string(status.error_code()) + reason + ": " + status.error_message();
}

} // namespace latchkey_test
