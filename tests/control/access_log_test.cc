#include "sluice/control/access_log.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace sluice {
namespace {

SessionRecord finished_session() {
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
  backend.name = "10.0.0.1:80";
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

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t bytes = 0; (bytes = ::read(fd, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<size_t>(bytes));
  }
  return text;
}

struct PipeEnds {
  PipeEnds() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(access_log, a_json_line_has_the_contracts_fields_in_order) {
  EXPECT_EQ(format_access_line(finished_session(), "2026-01-31T12:00:00.123Z", LogFormat::json),
            R"({"time":"2026-01-31T12:00:00.123Z","listener":"front","client":"10.0.0.9:5123",)"
            R"("cluster":"web","backend":"10.0.0.1:80","attempts":2,"received":12,"sent":34,)"
            R"("connect_ms":3,"duration_ms":1500,"reason":"client_closed",)"
            R"("why":{"policy":"round_robin","trial":false,"passed_over":{}}})");
}

TEST(access_log, a_text_line_has_the_same_fields) {
  EXPECT_EQ(format_access_line(finished_session(), "2026-01-31T12:00:00.123Z", LogFormat::text),
            "time=2026-01-31T12:00:00.123Z listener=front client=10.0.0.9:5123 cluster=web "
            "backend=10.0.0.1:80 attempts=2 received=12 sent=34 connect_ms=3 duration_ms=1500 "
            "reason=client_closed");
}

TEST(access_log, a_session_without_a_backend_says_so) {
  SessionRecord record = finished_session();
  record.backend = nullptr;
  record.connect_time.reset();
  record.reason = EndReason::no_backend;
  const std::string json = format_access_line(record, "t", LogFormat::json);
  EXPECT_NE(json.find(R"("backend":null)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("connect_ms":null)"), std::string::npos) << json;
  const std::string text = format_access_line(record, "t", LogFormat::text);
  EXPECT_NE(text.find("backend=- "), std::string::npos) << text;
}

TEST(access_log, everything_submitted_is_written_before_it_is_destroyed) {
  PipeEnds pipe;
  {
    AccessLog log(std::move(pipe.writer), LogFormat::text);
    for (int i = 0; i < 10; ++i) {
      log.submit(std::vector<SessionRecord>(7, finished_session()));
    }
  }
  const std::string text = read_all(pipe.reader.get());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 70);
}

TEST(access_log, a_full_queue_drops_whole_batches_and_counts_them) {
  std::signal(SIGPIPE, SIG_IGN);
  PipeEnds pipe;
  AccessLog log(std::move(pipe.writer), LogFormat::json);
  // Nobody reads: the writer blocks on the pipe, and the queue behind it fills.
  const std::vector<SessionRecord> batch(AccessLog::kQueuedRecordsMax, finished_session());
  for (int i = 0; i < 4; ++i) log.submit(batch);
  EXPECT_GE(log.loss().lines, AccessLog::kQueuedRecordsMax);
  pipe.reader.reset();  // lets the writer go: EPIPE
}

TEST(access_log, after_reopen_lines_go_to_the_new_file) {
  PipeEnds before;
  PipeEnds after;
  {
    AccessLog log(std::move(before.writer), LogFormat::text);
    log.reopen(std::move(after.writer));
    EXPECT_EQ(read_all(before.reader.get()), "");  // ends when the log has let go of it
    log.submit({finished_session()});
  }
  EXPECT_NE(read_all(after.reader.get()).find("reason=client_closed"), std::string::npos);
}

}  // namespace
}  // namespace sluice
