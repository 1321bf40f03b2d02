// A finished session to log.
#pragma once

#include <arpa/inet.h>

#include <cstring>
#include <memory>
#include <string>

#include "sluice/proxy/session_record.h"

namespace sluice::test {

inline SessionRecord finished_session(const std::string& backend_name = "10.0.0.1:80") {
  ListenerConfig listener;
  listener.name = "front";
  listener.cluster = "web";
  SessionRecord record;
  record.listener = std::make_shared<const Listener>(listener);
  sockaddr_in client{};
  client.sin_family = AF_INET;
  client.sin_port = htons(5123);
  client.sin_addr.s_addr = htonl(0x0A000009);
  std::memcpy(static_cast<void*>(record.client.data()), &client, sizeof client);
  BackendSettings backend;
  backend.name = backend_name;
  backend.address = Address::ipv4({10, 0, 0, 1}, 80);
  record.backend = std::make_shared<const Backend>(backend, Arrival::cold_start);
  record.attempts = 2;
  record.received = 12;
  record.sent = 34;
  record.connect_time = std::chrono::milliseconds(3);
  record.duration = std::chrono::milliseconds(1500);
  record.reason = EndReason::client_closed;
  return record;
}

}  // namespace sluice::test
