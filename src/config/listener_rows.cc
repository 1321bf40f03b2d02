#include "read_rows.h"
#include "tcp_rows.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using ListenerRow = Row<ListenerConfig>;

std::vector<ListenerRow> make_rows() {
  std::vector<ListenerRow> rows = {
      ListenerRow("name", FIELD(name), name_type(), Reload::no, "what it is called; unique")
          .required(),
      ListenerRow("address", FIELD(addresses), bind_address().or_list(), Reload::no,
                  "where to listen: 0.0.0.0:80, \"[::]:80\", unix:/run/x.sock, unix:@name")
          .required(),
      ListenerRow("cluster", FIELD(cluster), name_type(), Reload::yes, "where its clients go")
          .required(),
      {"idle_timeout", FIELD(idle_timeout), duration(10ms, 8760h).or_off(), Reload::yes,
       "no byte either way for that long ends the session"},
      {"half_close_timeout", FIELD(half_close_timeout), duration(10ms, 8760h).or_off(), Reload::yes,
       "how long, after one direction ended, the other may be idle"},
      {"max_duration", FIELD(max_duration), duration(10ms, 8760h).or_off(), Reload::yes,
       "longest life of a session"},
      {"max_connections", FIELD(max_connections), integer(1, 1'048'576).or_off(), Reload::yes,
       "sessions of this listener at a time; accepting pauses there"},
      {"backlog", FIELD(backlog), integer(1, 1'048'576), Reload::no,
       "connections the kernel queues for us, as far as net.core.somaxconn lets it"},
      {"on_unavailable", FIELD(on_unavailable), choice({"reset", "close"}), Reload::yes,
       "what a client gets when no backend may be tried"},
      {"unix", section(), Reload::no, "the file of a unix socket"},
      {"unix.mode", FIELD(unix_socket.mode), file_mode(), Reload::no, "its permissions"},
      {"unix.owner", FIELD(unix_socket.owner), text(256), Reload::no,
       "its owner, by name or number; who starts us when it is not given"},
      {"unix.group", FIELD(unix_socket.group), text(256), Reload::no, "its group, likewise"},
      ListenerRow::later("access"),
      ListenerRow::later("per_source"),
      ListenerRow::later("proxy_protocol"),
      ListenerRow::later("routes"),
      ListenerRow::later("inspect_timeout"),
  };
  append_tcp_rows(rows);
  return rows;
}

}  // namespace

const Table<ListenerConfig>& listener_table() {
  static const Table<ListenerConfig> table = {"listeners[]", "listener", make_rows()};
  return table;
}

}  // namespace sluice
