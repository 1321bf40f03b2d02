// A client of requests and replies. Edge-triggered, so one epoll_ctl serves a connection's life.
#pragma once

#include <cstddef>
#include <cstdint>

#include "load_client.h"
#include "load_schedule.h"

namespace sluice::bench {

class Requester final : public Client, public Scheduled {
 public:
  using Client::Client;

  void begin() override;
  void go_on() override;
  void on_ready(uint32_t events) override;
  void send_request_due_at(uint64_t due_ns) override;

 private:
  uint32_t interest() const override { return EPOLLIN | EPOLLOUT | EPOLLET; }
  void begin_at(uint64_t ns);
  void begin_next();
  void send_request();
  void receive_reply();
  void end_unit();

  uint64_t began_at_ns_ = 0;
  size_t to_send_ = 0;
  size_t to_receive_ = 0;
};

}  // namespace sluice::bench
