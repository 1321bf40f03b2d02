// The node as a process has it: real descriptors of every kind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>

#include "maelstrom/line_output.h"
#include "open_files.h"
#include "pipe.h"
#include "sluice/base/unique_fd.h"
#include "support.h"
#include "waiting.h"

namespace sluice {
namespace {

constexpr int kCannotRun = 3;

UniqueFd memory_file(std::string_view text = "") {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string contents(const UniqueFd& fd) {
  std::string text(static_cast<size_t>(::lseek(fd.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

void write_all(const UniqueFd& fd, std::string_view text) {
  ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string read_line(const UniqueFd& fd) {
  std::string line;
  char c = 0;
  while (::read(fd.get(), &c, 1) == 1 && c != '\n') line += c;
  return line;
}

class NodeProcessTest : public testing::Test {
 protected:
  // With the first loop libuv opens descriptors of its own, for good.
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    EXPECT_EQ(run_maelstrom_node({}, {nothing.get(), nothing.get(), nothing.get()}), 0);
  }

  int run(const UniqueFd& input) {
    return run_maelstrom_node({}, {input.get(), output.get(), errors.get()});
  }

  UniqueFd output = memory_file();
  UniqueFd errors = memory_file();
};

const std::string kInitLine = std::string(kInit) + "\n";
const std::string kInitOkLine = std::string(kInitOk) + "\n";

TEST_F(NodeProcessTest, a_regular_file_is_read_to_its_end) {
  const size_t files = count_open_files();
  const UniqueFd input = memory_file(kInit);
  EXPECT_EQ(run(input), 0);
  EXPECT_EQ(contents(output), kInitOkLine);
  EXPECT_EQ(contents(errors), "");
  EXPECT_EQ(count_open_files(), files + 1) << describe_open_files();
}

TEST_F(NodeProcessTest, a_file_of_many_reads_is_answered_in_order) {
  std::string text = kInitLine;
  std::string expected = kInitOkLine;
  for (int i = 1; i <= 20'000; ++i) {
    text += echo(i, std::to_string(i)) + "\n";
    expected += echo_ok(i, i, std::to_string(i)) + "\n";
  }
  EXPECT_EQ(run(memory_file(text)), 0);
  EXPECT_TRUE(contents(output) == expected);
}

TEST_F(NodeProcessTest, a_pipe_is_read_to_its_end_and_stays_blocking) {
  const size_t files = count_open_files();
  PipeEnds pipe = make_pipe();
  write_all(pipe.writer, kInit);
  pipe.writer.reset();
  EXPECT_EQ(run(pipe.reader), 0);
  EXPECT_EQ(contents(output), kInitOkLine);
  EXPECT_EQ(::fcntl(pipe.reader.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(count_open_files(), files + 1) << describe_open_files();
}

TEST_F(NodeProcessTest, one_socket_is_input_and_output) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  const UniqueFd ours(fds[0]);
  const UniqueFd its(fds[1]);
  write_all(ours, kInit);
  ::shutdown(ours.get(), SHUT_WR);
  EXPECT_EQ(run_maelstrom_node({}, {its.get(), its.get(), errors.get()}), 0);
  EXPECT_EQ(read_line(ours), kInitOk);
  EXPECT_EQ(::fcntl(its.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(NodeProcessTest, a_terminal_is_read_until_it_is_hung_up) {
  int controller = -1;
  int terminal = -1;
  termios raw{};
  ::cfmakeraw(&raw);
  if (::openpty(&controller, &terminal, nullptr, &raw, nullptr) != 0) {
    GTEST_SKIP() << "no terminals here: /dev/pts is not mounted";
  }
  UniqueFd ours(controller);
  UniqueFd its(terminal);
  const PipeEnds out = make_pipe();
  int status = -1;
  std::thread node([&] {
    status = run_maelstrom_node({}, {its.get(), out.writer.get(), errors.get()});
  });
  write_all(ours, kInit);
  EXPECT_EQ(read_line(out.reader), kInitOk) << "with no newline yet";
  ours.reset();
  node.join();
  EXPECT_EQ(status, 0);
}

TEST_F(NodeProcessTest, nothing_to_read_is_a_clean_end) {
  EXPECT_EQ(run(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))), 0);
  EXPECT_EQ(run(memory_file()), 0);
  EXPECT_EQ(contents(output) + contents(errors), "");
}

TEST_F(NodeProcessTest, what_cannot_be_read_is_an_error) {
  EXPECT_EQ(run(UniqueFd()), kCannotRun);
  EXPECT_EQ(run(UniqueFd(::open("/", O_RDONLY | O_CLOEXEC))), kCannotRun);
  EXPECT_NE(contents(errors).find("cannot read the input"), std::string::npos);
}

TEST_F(NodeProcessTest, a_reader_that_has_gone_ends_it_with_an_error) {
  PipeEnds out = make_pipe();
  out.reader.reset();
  const PipeEnds in = make_pipe();  // whose writer stays
  write_all(in.writer, kInitLine + kInitLine);
  EXPECT_EQ(run_maelstrom_node({}, {in.reader.get(), out.writer.get(), errors.get()}), kCannotRun);
  EXPECT_NE(contents(errors).find("cannot write the output: broken pipe"), std::string::npos);
}

TEST_F(NodeProcessTest, what_is_no_message_is_reported_with_its_line_and_skipped) {
  const UniqueFd input =
      memory_file(kInitLine + "not json\n{\"a\":}\n{\"src\":1,\n" + echo(2, "1") + "\n{\"end\"");
  EXPECT_EQ(run(input), 0);
  EXPECT_EQ(contents(output), kInitOkLine + echo_ok(2, 1, "1") + "\n");
  const std::string said = contents(errors);
  EXPECT_NE(said.find("input line 2: not JSON, skipped: \"not json\""), std::string::npos) << said;
  EXPECT_NE(said.find("input line 3: not JSON: "), std::string::npos) << said;
  EXPECT_NE(said.find("input line 4: unfinished text, discarded: "), std::string::npos) << said;
  EXPECT_NE(said.find("input line 6: unfinished text, discarded: "), std::string::npos) << said;
}

TEST_F(NodeProcessTest, a_message_of_100_mb_is_reported_and_skipped) {
  PipeEnds in = make_pipe();
  const PipeEnds out = make_pipe();
  int status = -1;
  std::thread node([&] {
    status = run_maelstrom_node({}, {in.reader.get(), out.writer.get(), errors.get()});
  });
  write_all(in.writer, kInitLine + "{\"src\":\"");
  const std::string megabyte(1'000'000, 'x');
  for (int i = 0; i < 100; ++i) write_all(in.writer, megabyte);
  write_all(in.writer, "\"}\n" + echo(2, "1"));
  EXPECT_EQ(read_line(out.reader), kInitOk);
  EXPECT_EQ(read_line(out.reader), echo_ok(2, 1, "1"));
  in.writer.reset();
  node.join();
  EXPECT_EQ(status, 0);
  EXPECT_NE(contents(errors).find("a message of more than"), std::string::npos);
}

// Begins to read the output when `wait` returns.
std::string run_with_late_reader(const UniqueFd& input, const UniqueFd& errors,
                                 FunctionRef<void()> wait) {
  PipeEnds out = make_pipe();
  std::thread node([&] {
    EXPECT_EQ(run_maelstrom_node({}, {input.get(), out.writer.get(), errors.get()}), 0);
    out.writer.reset();
  });
  wait();
  std::string received;
  std::array<char, 65536> buffer{};
  ssize_t count = 0;
  while ((count = ::read(out.reader.get(), buffer.data(), buffer.size())) > 0) {
    received.append(buffer.data(), static_cast<size_t>(count));
  }
  node.join();
  return received;
}

struct Dialogue {
  std::string input = kInitLine;
  std::string output = kInitOkLine;
};

// Of echoes of 10 kB.
Dialogue long_dialogue(int echoes) {
  const std::string payload = "\"" + std::string(10'000, 'x') + "\"";
  Dialogue dialogue;
  for (int i = 1; i <= echoes; ++i) {
    dialogue.input += echo(i, payload);
    dialogue.output += echo_ok(i, i, payload) + "\n";
  }
  return dialogue;
}

size_t bytes_taken(const UniqueFd& input) {
  return static_cast<size_t>(::lseek(input.get(), 0, SEEK_CUR));
}

TEST_F(NodeProcessTest, a_slow_reader_stops_the_reading_of_input_and_loses_nothing) {
  const Dialogue dialogue = long_dialogue(800);
  const UniqueFd input = memory_file(dialogue.input);
  const std::string received = run_with_late_reader(input, errors, [&] {
    EXPECT_TRUE(wait_until([&] { return bytes_taken(input) > LineOutput::kQueuedBytesMax; }));
    // For something that must not happen: a node that reads on is through in a fraction of that.
    EXPECT_FALSE(wait_until([&] { return bytes_taken(input) > 4 * LineOutput::kQueuedBytesMax; },
                            std::chrono::milliseconds(500)));
  });
  EXPECT_TRUE(received == dialogue.output);
}

TEST_F(NodeProcessTest, what_is_queued_at_the_end_of_input_is_still_written) {
  const Dialogue dialogue = long_dialogue(50);
  const UniqueFd input = memory_file(dialogue.input);
  const std::string received = run_with_late_reader(input, errors, [&] {
    EXPECT_TRUE(wait_until([&] { return bytes_taken(input) == dialogue.input.size(); }));
  });
  EXPECT_TRUE(received == dialogue.output);
}

TEST_F(NodeProcessTest, a_signal_ends_it_like_the_end_of_input) {
  for (const int number : {SIGTERM, SIGINT}) {
    const PipeEnds in = make_pipe();
    const PipeEnds out = make_pipe();
    int status = -1;
    std::thread node([&] {
      status = run_maelstrom_node({}, {in.reader.get(), out.writer.get(), errors.get()});
    });
    write_all(in.writer, kInit);
    EXPECT_EQ(read_line(out.reader), kInitOk);  // it runs, so the signal is its
    ::kill(::getpid(), number);
    node.join();
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace sluice
