// SPDX-License-Identifier: BSL-1.0
//
// A circuit breaker for the callback API of gRPC.
//
// gRPC calls a function when a call has ended, on a thread of its own. The permit waits for that in the
// call's own struct, together with the context and the messages, which must live as long. The server in this
// program answers with the code that it is sent; a generic stub needs no generated code.
#include "console.hpp"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <brownout/breaker.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::outcome;
using service_breaker = brownout::circuit_breaker<brownout::consecutive_failures>;

// How a call ended, for the breaker.
outcome judge(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::NOT_FOUND:  // an answer like any other
      return outcome::success;
    case grpc::StatusCode::CANCELLED:  // by `cancel_all`
      return outcome::cancelled;
    case grpc::StatusCode::INVALID_ARGUMENT:  // the server is well and says that the call is not
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return outcome::ignored;
    default:  // UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNKNOWN,
              // DATA_LOSS
      return outcome::failure;
  }
}

// How long the server asks to be left alone, which gRPC's servers say in milliseconds.
brownout::duration asked_wait(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("grpc-retry-pushback-ms");
  if (found == trailers.end()) return {};
  int wait = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), wait);
  return std::chrono::milliseconds{std::max(wait, 0)};
}

class service_client {
 public:
  service_client(const std::shared_ptr<grpc::Channel>& channel, service_breaker& service)
      : stub_{channel}, service_{service} {}
  // No callback may come after this object: so it cancels what is in flight, and waits for it.
  ~service_client() {
    {
      const std::lock_guard lock{guard_};
      for (auto* const one : in_flight_) one->context.TryCancel();
    }
    wait_for_all();
  }
  service_client(const service_client&) = delete;
  service_client& operator=(const service_client&) = delete;

  void send(const std::string& text) {
    auto admitted = service_.try_acquire();
    if (!admitted) return console::show_refusal(text, admitted.rejection());

    auto started = std::make_unique<call>(text, *std::move(admitted));
    const grpc::Slice slice{text};
    started->request = grpc::ByteBuffer{&slice, 1};
    started->context.set_deadline(std::chrono::system_clock::now() + 2s);  // without it a call may never end
    {
      const std::lock_guard lock{guard_};
      in_flight_.insert(started.get());
    }
    auto* const one = started.release();  // `on_done` owns it now
    stub_.UnaryCall(&one->context, "/recipe/answer", {}, &one->request, &one->response,
                    [this, one](const grpc::Status& status) { on_done(one, status); });
  }

  void wait_for_all() {
    std::unique_lock lock{guard_};
    all_done_.wait(lock, [&] { return in_flight_.empty(); });
  }

 private:
  struct call {
    call(std::string words, service_breaker::permit admitted)
        : text{std::move(words)}, permit{std::move(admitted)} {}

    std::string text;
    service_breaker::permit permit;
    grpc::ClientContext context{};
    grpc::ByteBuffer request{};
    grpc::ByteBuffer response{};
  };

  // The one place where a permit is settled, and before the handler. Calls may end on several threads at
  // once.
  void on_done(call* done, const grpc::Status& status) noexcept {
    const std::unique_ptr<call> ended{done};
    const auto result = judge(status);
    const auto text = "code " + std::to_string(status.error_code());  // the message may quote the call
    const auto became = ended->permit.complete(result, asked_wait(ended->context), text);
    const std::lock_guard lock{guard_};
    console::handle(ended->text, result, text, became);
    in_flight_.erase(done);
    if (in_flight_.empty())
      all_done_.notify_all();  // under the lock: the waiting destructor must not be faster
  }

  grpc::GenericStub stub_;
  service_breaker& service_;
  std::mutex guard_{};
  std::condition_variable all_done_{};
  std::set<call*> in_flight_{};
};

// The server: finishes each call with the code that stands in its text; at "hang" not before it is cancelled.
class test_service : public grpc::CallbackGenericService {
 public:
  std::atomic<int> calls = 0;

 private:
  struct reactor : grpc::ServerGenericBidiReactor {
    explicit reactor(grpc::GenericCallbackServerContext& made) : context{made} { StartRead(&request); }
    void OnReadDone(bool arrived) override {
      if (!arrived) return;  // the call was cancelled
      std::vector<grpc::Slice> slices;
      std::string text;
      if (request.Dump(&slices).ok())
        for (const auto& slice : slices)
          text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      if (text == "hang" || finished.exchange(true)) return;
      const auto code = std::atoi(text.c_str());
      if (code == 8) context.AddTrailingMetadata("grpc-retry-pushback-ms", "30000");
      if (code == 0) return StartWriteAndFinish(&request, {}, grpc::Status::OK);
      Finish({static_cast<grpc::StatusCode>(code), ""});
    }
    void OnCancel() override {
      if (!finished.exchange(true)) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }
    grpc::GenericCallbackServerContext& context;
    grpc::ByteBuffer request{};
    std::atomic<bool> finished = false;
  };
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    ++calls;
    return new reactor{*context};
  }
};

int main() {
  test_service answers;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&answers);
  auto server = builder.BuildAndStart();
  const auto address = "127.0.0.1:" + std::to_string(port);

  service_breaker service{{3}, {.name = "service", .open_for = 5s}};  // outlives the client and its permits
  {
    service_client client{grpc::CreateChannel(address, grpc::InsecureChannelCredentials()), service};
    const auto send = [&](const std::string& text) {
      client.send(text);
      client.wait_for_all();
    };
    send("0");
    send("5");                                        // NOT_FOUND
    send("3");                                        // INVALID_ARGUMENT
    send("poison");                                   // an answer that the handler can not take
    for (int i = 0; i < 3; ++i) client.send("hang");  // three at once
    client.wait_for_all();
    const int before = answers.calls;
    send("0");
    std::cout << "calls of the server meanwhile: " << answers.calls - before << std::endl;

    service.reset();                         // for the next part
    for (int i = 0; i < 2; ++i) send("14");  // UNAVAILABLE
    send("8");                               // RESOURCE_EXHAUSTED, and 30 s
    send("0");

    service.reset();
    client.send("hang");
  }  // the client ends with a call in flight
  server->Shutdown(std::chrono::system_clock::now());
}

// Output:
// 0: success (code 0), counted
// 5: success (code 5), counted
// 3: ignored (code 3), released
// poison: the handler has failed, the call was counted
// hang: failure (code 4), counted
// hang: failure (code 4), counted
// hang: failure (code 4), counted
// 0: refused, circuit open, retry in 5 s
// calls of the server meanwhile: 0
// 14: failure (code 14), counted
// 14: failure (code 14), counted
// 8: failure (code 8), counted
// 0: refused, circuit open, retry in 30 s
// hang: cancelled (code 1), released
