// What makes a read stop short: urgent bytes, passed descriptors.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "pump_rig.h"
#include "sluice/net/half_pump.h"

namespace sluice {
namespace {

class HalfPumpUrgent : public testing::TestWithParam<bool> {};

TEST_P(HalfPumpUrgent, byte_stays_in_line) {
  const bool is_bulk = GetParam();
  PumpRig rig;
  rig.watch();
  if (is_bulk) {
    rig.make_bulk();
    ASSERT_EQ(rig.pipes.pipes(), 1U);
  }
  send_some(rig.writer, "before ");
  ASSERT_EQ(::send(rig.writer.get(), "!", 1, MSG_OOB), 1);
  send_some(rig.writer, " after");
  std::string arrived;
  EXPECT_TRUE(run_until(rig.loop, [&] {
    rig.turn();
    receive_some(rig.reader, arrived);
    return arrived == "before ! after";
  })) << arrived;
  // And the stream goes on, with another one, and ends.
  ASSERT_EQ(::send(rig.writer.get(), "?", 1, MSG_OOB), 1);
  send_some(rig.writer, "end");
  end_stream(rig.writer);
  EXPECT_EQ(rig.drain(4), "?end");
}

INSTANTIATE_TEST_SUITE_P(Modes, HalfPumpUrgent, testing::Bool(), [](const auto& instance) {
  return std::string(instance.param ? "Splice" : "Copy");
});

TEST(HalfPump, urgent_byte_would_be_lost_without_oobinline) {
  PumpRig rig;
  const int no = 0;
  ASSERT_EQ(::setsockopt(rig.source.fd.get(), SOL_SOCKET, SO_OOBINLINE, &no, sizeof no), 0);
  rig.watch();
  send_some(rig.writer, "before ");
  ASSERT_EQ(::send(rig.writer.get(), "!", 1, MSG_OOB), 1);
  send_some(rig.writer, " after");
  end_stream(rig.writer);
  EXPECT_EQ(rig.drain(13), "before  after");
}

// Splice reports the end of the stream (0) at an urgent byte when a FIN is queued behind it.
TEST(HalfPump, urgent_byte_and_end_that_come_while_splicing_are_not_taken_for_the_end) {
  PumpRig rig;
  rig.watch();
  rig.make_bulk();
  ASSERT_EQ(rig.pipes.pipes(), 1U);
  ASSERT_FALSE(rig.source.has_urgent);
  // Between the wait and the step: the pump has heard of data, not yet of the rest.
  send_some(rig.writer, "before ");
  ASSERT_EQ(::send(rig.writer.get(), "!", 1, MSG_OOB), 1);
  send_some(rig.writer, " after");
  end_stream(rig.writer);
  ASSERT_TRUE(wait_until([&] {
    std::array<char, 14> bytes{};
    return ::recv(rig.source.fd.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT) == 7;
  }));
  rig.source.is_readable = true;
  rig.step();
  EXPECT_EQ(rig.drain(14), "before ! after");
}

// Sends a descriptor along with the bytes, as unix(7) can.
void send_with_descriptor(const UniqueFd& socket, std::string bytes, int descriptor) {
  iovec piece{.iov_base = bytes.data(), .iov_len = bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  *header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  ASSERT_EQ(::sendmsg(socket.get(), &message, 0), static_cast<ssize_t>(bytes.size()));
}

std::string carry_past_a_descriptor(PumpRig& rig) {
  const size_t files = count_open_files();
  send_some(rig.writer, "before ");
  send_with_descriptor(rig.writer, "with", rig.writer.get());
  send_some(rig.writer, " after");
  rig.watch();
  std::string arrived;
  for (int i = 0; i < 100; ++i) {
    rig.turn();
    receive_some(rig.reader, arrived);
  }
  EXPECT_EQ(count_open_files(), files) << "the kernel drops what nobody takes";
  return arrived;
}

TEST(HalfPump, descriptor_passed_over_a_unix_socket_does_not_hang_the_bytes_behind_it) {
  PumpRig::Setup setup;
  setup.source = Transport::unix_domain;
  PumpRig rig(setup);
  EXPECT_EQ(carry_past_a_descriptor(rig), "before with after");

  PumpRig unaware(setup);
  unaware.source.is_unix = false;
  EXPECT_EQ(carry_past_a_descriptor(unaware), "before with");
}

}  // namespace
}  // namespace sluice
