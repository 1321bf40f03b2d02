// A little TCP server for the demo: says its name to whoever connects, and can die and come back on
// the same port. Owns its thread and its socket.
#pragma once

#include <sys/eventfd.h>

#include <string>
#include <thread>

#include "sluice/base/address.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

class DemoBackend {
 public:
  explicit DemoBackend(std::string name);  // alive, on a free loopback port
  ~DemoBackend();
  DemoBackend(const DemoBackend&) = delete;
  DemoBackend& operator=(const DemoBackend&) = delete;

  const std::string& name() const { return name_; }
  const Address& address() const { return address_; }

  void die();  // closes its socket: the kernel refuses connections from now on
  void come_back();

 private:
  void serve();

  const std::string name_;
  Address address_;
  UniqueFd listening_;
  UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
  std::thread thread_;
};

}  // namespace sluice
