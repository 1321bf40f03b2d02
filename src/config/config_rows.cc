#include "read_rows.h"
#include "sluice/config/log_target.h"

namespace sluice {

using namespace std::chrono_literals;

namespace {

constexpr int64_t kTemplateBytesMax = 4096;
constexpr int64_t kSyslogTagBytesMax = 48;  // RFC 5424, 6

Type facility() { return choice({kSyslogFacilityNames.begin(), kSyslogFacilityNames.end()}); }

bool is_syslog(const std::string& file) { return log_target(file) == LogTarget::syslog; }

}  // namespace

const Table<Config>& config_table() {
  using ConfigRow = Row<Config>;
  static const Table<Config> table = {
      "",
      "file",
      {
          {"workers", FIELD(workers), integer(1, 1024).or_auto(), Reload::no,
           "worker threads; auto: as many as CPUs this process may use (affinity mask and cgroup "
           "quota)"},
          {"max_connections", FIELD(max_connections), integer(1, 1'048'576).or_auto(), Reload::yes,
           "sessions in the whole process; auto: half of what RLIMIT_NOFILE leaves after a "
           "reserve. At the limit accepting pauses and clients wait in the kernel's queue"},
          {"drain_timeout", FIELD(drain_timeout), duration(0ms, 24h).or_off(), Reload::yes,
           "how long SIGTERM waits for sessions to end; off: as long as they take"},
          {"state_file", FIELD(state_file), text(4096), Reload::no,
           "a path: breakers, health, administrative states and weights set at run time are kept "
           "there over a restart. Where the configuration changed, it wins"},
          {"state_max_age", FIELD(state_max_age), duration(1s, 168h), Reload::no,
           "an older state_file is ignored at the start"},
          {"splice", FIELD(splice), choice({"auto", "off"}), Reload::yes,
           "auto: bulk is moved inside the kernel by splice(2); off: relay by copy only"},
          ConfigRow::switchable(
              "busy_poll", [](Config& config) { config.busy_poll.is_enabled = false; },
              [](const Config& config) { return config.busy_poll.is_enabled; }, Reload::yes,
              "workers look for more work for a moment before they sleep: a shorter round trip on "
              "quiet connections, paid for with CPU time")
              .switched_on_by([](Config& config) { config.busy_poll.is_enabled = true; }),
          {"busy_poll.for", FIELD(busy_poll.span), duration(1us, 10ms).in_microseconds(),
           Reload::yes, "for how long, after a turn that had work"},
          {"busy_poll.max_cpu", FIELD(busy_poll.cpu_percent_max), integer(1, 100), Reload::yes,
           "the part of a worker's time, in percent, that may go into it"},
          {"log", section(), Reload::no, "the process's own log"},
          {"log.level", FIELD(log.level), choice({"debug", "info", "warning", "error"}),
           Reload::yes, "the least important lines to write"},
          {"log.format", FIELD(log.format), choice({"text", "json"}), Reload::no, "how they look"},
          {"log.file", FIELD(log.file), text(4096), Reload::no,
           "where they go: a path, stdout, stderr or syslog; stderr when it is not given"},
          ConfigRow("log.syslog", section(), Reload::no, "how they go to a syslog daemon")
              .only_while([](const Config& config) { return is_syslog(config.log.file); }),
          {"log.syslog.address", FIELD(log.syslog.address), bind_address(), Reload::no,
           "where the daemon listens: a unix datagram socket, spoken to as syslog(3) does, or an "
           "IP address, spoken to over UDP as RFC 5424 says"},
          {"log.syslog.facility", FIELD(log.syslog.facility), facility(), Reload::no,
           "what the daemon sorts them by"},
          {"log.syslog.tag", FIELD(log.syslog.tag), text(kSyslogTagBytesMax), Reload::no,
           "the name they come under"},
          {"access_log", section(), Reload::yes, "a line for each finished session"},
          {"access_log.file", FIELD(access_log.file), text(4096), Reload::yes,
           "a path, stdout, stderr or syslog; no access log when it is not given"},
          {"access_log.format", FIELD(access_log.format), line_format(kTemplateBytesMax),
           Reload::yes,
           "how its lines look: text, json, or a template such as \"%{client} %{backend} "
           "%{reason}\". Its fields are time, listener, client, cluster, backend, attempts, "
           "received, sent, connect_ms, duration_ms, reason, policy, trial and passed_over; a "
           "percent sign is %%. Values are escaped as within a JSON string, and - is none"},
          ConfigRow("access_log.syslog", section(), Reload::yes, "how they go to a syslog daemon")
              .only_while([](const Config& config) { return is_syslog(config.access_log.file); }),
          {"access_log.syslog.address", FIELD(access_log.syslog.address), bind_address(),
           Reload::yes, "as log.syslog.address"},
          {"access_log.syslog.facility", FIELD(access_log.syslog.facility), facility(), Reload::yes,
           "what the daemon sorts them by"},
          {"access_log.syslog.tag", FIELD(access_log.syslog.tag), text(kSyslogTagBytesMax),
           Reload::yes, "the name they come under"},
          {"access_log.syslog.severity", FIELD(access_log.syslog_severity),
           choice({"debug", "info", "warning", "error"}), Reload::yes,
           "how important the daemon takes them to be"},
          ConfigRow("admin", section(), Reload::no, "the admin API, `sluice ctl`'s other end")
              .only_while([](const Config& config) {
                return config.admin.address || !config.admin.token_file.empty();
              }),
          {"admin.address", FIELD(admin.address), bind_address(), Reload::no,
           "where it listens; nowhere when it is not given. Anything but a loopback address or a "
           "unix socket needs a token_file"},
          {"admin.token_file", FIELD(admin.token_file), text(4096), Reload::yes,
           "a file with the token that requests which change something or ask for the "
           "configuration must carry, and all from other hosts"},
          list_row<Config>("listeners", FIELD(listeners), listener_table, list(), Reload::yes,
                           "where clients connect"),
          list_row<Config>("clusters", FIELD(clusters), cluster_table, list(), Reload::yes,
                           "named sets of servers"),
          ConfigRow::later("user"),
          ConfigRow::later("group"),
          ConfigRow::later("drain_grace"),
          ConfigRow::later("watch"),
          ConfigRow::later("sandbox"),
      }};
  return table;
}

}  // namespace sluice
