// The configuration as plain structs, with the defaults in place. The schema table (schema.h) has
// one row for each field here; a reader fills these structs, and nothing else in the program reads
// YAML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/address.h"
#include "sluice/base/busy_poll_options.h"
#include "sluice/base/log_level.h"
#include "sluice/base/syslog_options.h"
#include "sluice/base/tcp_options.h"
#include "sluice/base/time.h"
#include "sluice/config/access_log_format.h"
#include "sluice/core/cluster.h"

namespace sluice {

enum class OnUnavailable : uint8_t { reset, close };
enum class SpliceMode : uint8_t { automatic, off };
enum class ProbeType : uint8_t { tcp, http };
enum class HttpMethod : uint8_t { get, head, options, post };

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  std::string file;  // empty: stderr; see log_target.h
  SyslogOptions syslog;
};

struct AccessLogConfig {
  std::string file;  // empty: no access log; see log_target.h
  AccessLogFormat format;
  SyslogOptions syslog{.facility = SyslogFacility::local0};
  LogLevel syslog_severity = LogLevel::info;
};

struct AdminConfig {
  std::optional<Address> address;  // no value: no admin side at all
  std::string token_file;          // empty: no token
};

using KeepaliveConfig = KeepaliveOptions;
using TcpConfig = TcpOptions;
using BusyPollConfig = BusyPollOptions;

struct UnixSocketConfig {
  uint32_t mode = 0660;
  std::string owner;  // user name or number; empty: as created
  std::string group;
};

struct ListenerConfig {
  std::string name;
  std::vector<Address> addresses;
  std::string cluster;
  Timeout idle_timeout = std::chrono::hours(1);
  Timeout half_close_timeout = std::chrono::minutes(5);
  Timeout max_duration;
  std::optional<uint32_t> max_connections;
  uint32_t backlog = 4096;
  OnUnavailable on_unavailable = OnUnavailable::reset;
  UnixSocketConfig unix_socket;
  TcpConfig tcp;
};

struct BackendConfig {
  std::string name;  // as given, else the address as written
  Address address;   // may be a host name
  uint32_t weight = 1;
  uint32_t priority = 0;
  AdminState admin_state = AdminState::ready;
  std::optional<uint16_t> health_check_port;
};

// One step of a probe's dialogue: one of the two is not empty.
struct ProbeStepConfig {
  std::string send;
  std::string expect;
};

// Both ends belong to it.
struct StatusRange {
  uint16_t first = 0;
  uint16_t last = 0;

  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

// What `type: http` asks and takes for an answer.
struct HttpProbeConfig {
  HttpMethod method = HttpMethod::get;
  std::string path = "/";
  std::string host;  // empty: the address that is probed
  std::vector<StatusRange> status = {{200, 399}};
};

// After the connect `tcp` goes through `steps`, or sends and expects bytes once; empty: nothing.
struct HealthCheckConfig {
  ProbeType type = ProbeType::tcp;
  Duration interval = std::chrono::seconds(5);
  Duration unhealthy_interval = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(1);  // connect and answer together
  double jitter = 10;                          // percent of the interval
  std::optional<uint16_t> port;                // instead of the backend's own
  std::string send;
  std::string expect;
  std::vector<ProbeStepConfig> steps;  // in place of the two
  HttpProbeConfig http;
};

// What happens to a backend's sessions when its probes fail.
struct CloseOnUnhealthyConfig {
  bool is_enabled = false;
  Duration over{0};  // they are ended spread over that time
};

struct ClusterConfig {
  std::string name;
  std::vector<BackendConfig> backends;
  std::optional<Address> source_address;  // its port is not used
  ClusterSettings settings;               // all that the core decides by
  CloseOnUnhealthyConfig close_on_unhealthy;
  std::optional<HealthCheckConfig> health_check = HealthCheckConfig{};
  TcpConfig tcp;
};

struct Config {
  std::optional<uint32_t> workers;          // no value: auto
  std::optional<uint32_t> max_connections;  // no value: auto
  Timeout drain_timeout = std::chrono::seconds(30);
  std::string state_file;  // empty: nothing is kept over a restart
  Duration state_max_age = std::chrono::minutes(5);
  LogConfig log;
  AccessLogConfig access_log;
  AdminConfig admin;
  SpliceMode splice = SpliceMode::automatic;
  BusyPollConfig busy_poll;
  std::vector<ListenerConfig> listeners;
  std::vector<ClusterConfig> clusters;
};

}  // namespace sluice
