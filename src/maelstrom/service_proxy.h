// Requests passed on to a service of Maelstrom's, a key-value store, which only it can carry out:
// each is sent once, never again, because it may have been carried out. Its answer is carried back,
// an error with its code and text. Without an answer in time, or with one that makes no sense, the
// client gets error 0: nobody knows. One thread; time comes from the agenda.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maelstrom/calls.h"
#include "maelstrom/message.h"
#include "maelstrom/message_writer.h"
#include "maelstrom/refusal.h"

namespace sluice {

class ServiceProxy {
 public:
  // `timeout` ends before the patience of the service's clients.
  ServiceProxy(std::string service, Duration timeout, Calls& calls, MessageWriter& writer);
  ServiceProxy(const ServiceProxy&) = delete;
  ServiceProxy& operator=(const ServiceProxy&) = delete;

  // A `read`, `write` or `cas`: answers it, or says why it is refused; then it was not sent.
  std::optional<Refusal> forward(const Message& request, TimePoint now);

 private:
  struct Client {
    std::string name;
    std::optional<int64_t> msg_id;
    std::string type;  // of its request
  };

  void end(const Client& client, const Message* answer);

  const std::string service_;
  const Duration timeout_;
  Calls& calls_;
  MessageWriter& writer_;
};

}  // namespace sluice
