// A stream of the admin API's events as a person reads it.
#include "ctl/ctl_events.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice {
namespace {

const std::string kStream =
    "retry: 1000\nid: e-0\nevent: hello\ndata: {}\n\n: heartbeat\n\nid: e-1\nevent: transition\n"
    "data: {\"time\":\"T\",\"kind\":\"breaker\",\"cluster\":\"web\",\"backend\":\"b1\",\"from\":"
    "\"closed\",\"to\":\"open\",\"why\":\"w\",\"retry_at\":\"R\"}\n\n"
    "event: missed\ndata: {\"missed\":7}\n\n";

TEST(ctl_events, events_become_lines_however_they_arrive) {
  const std::string expected =
      "T web breaker of b1: closed -> open: w; next trial at R\n7 events were missed\n";
  for (size_t size = 1; size <= kStream.size(); ++size) {
    CtlEventReader reader(CtlEventReader::Form::text, false);
    std::string out;
    for (size_t i = 0; i < kStream.size(); i += size) {
      out += reader.take(std::string_view(kStream).substr(i, size));
    }
    EXPECT_EQ(out, expected) << size;
    EXPECT_EQ(reader.last_id(), "e-1");
  }
}

TEST(ctl_events, events_as_json_are_the_servers_own_words) {
  CtlEventReader reader(CtlEventReader::Form::json, false);
  EXPECT_TRUE(reader.take(kStream).starts_with("{\"time\":\"T\",\"kind\":\"breaker\""));
}

TEST(ctl_events, events_of_another_writer_are_read_as_well) {
  CtlEventReader reader(CtlEventReader::Form::json, false);
  EXPECT_EQ(reader.take("id:e-7\r\nevent:missed\r\ndata:{\"missed\":7}\r\n\r\n"),
            "{\"missed\":7}\n");
  EXPECT_EQ(reader.last_id(), "e-7");
}

TEST(ctl_events, a_line_without_an_end_is_given_up) {
  CtlEventReader reader(CtlEventReader::Form::text, false);
  reader.take(std::string(CtlEventReader::kLineBytesMax, 'x'));
  EXPECT_FALSE(reader.is_lost());
  reader.take("x");
  EXPECT_TRUE(reader.is_lost());
}

}  // namespace
}  // namespace sluice
