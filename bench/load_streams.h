// Clients that move bytes without requests, or hold still.
#pragma once

#include <cstddef>
#include <cstdint>

#include "load_client.h"

namespace sluice::bench {

// Reads without end; with mode `demand` it asks a mixed backend for the bytes first.
class Receiver : public Client {
 public:
  using Client::Client;

  void on_ready(uint32_t events) override;

 protected:
  // Bytes that came now; 0 when none did.
  size_t receive();

 private:
  uint32_t interest() const override;
};

class Sender final : public Client {
 public:
  using Client::Client;

  void on_ready(uint32_t events) override;

 private:
  uint32_t interest() const override;
};

// Counts what it receives; what it sends is counted by the backend.
class SenderAndReceiver final : public Receiver {
 public:
  using Receiver::Receiver;

  void on_ready(uint32_t events) override;

 private:
  uint32_t interest() const override;
};

// Reads so many bytes and closes. Its unit has no duration: it lasts as long as the proxy is slow.
class Fetcher final : public Receiver {
 public:
  using Receiver::Receiver;

  void on_ready(uint32_t events) override;

 private:
  uint32_t interest() const override;

  size_t received_ = 0;
};

class Staller final : public Client {
 public:
  using Client::Client;

  void on_ready(uint32_t events) override;

 private:
  uint32_t interest() const override;
};

}  // namespace sluice::bench
