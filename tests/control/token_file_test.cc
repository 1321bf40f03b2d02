// The token's file while it is changed under us.
#include "admin/token_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "temporary_directory.h"

namespace sluice {
namespace {

const std::string kOld = "0123456789abcdef-old";
const std::string kNew = "0123456789abcdef-new";
constexpr TimePoint kBegin{std::chrono::hours(1)};
constexpr Duration kLater = TokenFile::kLookAgainAfter;

class TokenFileTest : public testing::Test {
 protected:
  TokenFileTest() {
    write(kOld + "\n");
    auto opened = TokenFile::open(path_, kBegin);
    EXPECT_TRUE(opened) << opened.error().message;
    file_.emplace(std::move(*opened));
    file_->set_reports(
        {.on_change = [this] { ++changes; },
         .on_trouble = [this](std::string_view why) { troubles.emplace_back(why); }});
  }

  void write(const std::string& text) const { std::ofstream(path_) << text; }
  // As mv(1) puts it there.
  void replace(const std::string& text) const {
    std::ofstream(path_ + ".new") << text;
    ASSERT_EQ(std::rename((path_ + ".new").c_str(), path_.c_str()), 0);
  }
  const std::string& token_after(Duration span) {
    now_ += span;
    return file_->token(now_);
  }
  const std::string& path() const { return path_; }

  int changes = 0;
  std::vector<std::string> troubles;

 private:
  TemporaryDirectory directory_;
  const std::string path_ = directory_.file("token");
  std::optional<TokenFile> file_;
  TimePoint now_ = kBegin;
};

TEST_F(TokenFileTest, a_new_token_counts_after_a_second_at_the_latest) {
  write(kNew + "\n");  // of the same size, and perhaps within the same tick of the file's clock
  EXPECT_EQ(token_after(kLater - std::chrono::milliseconds(1)), kOld);
  EXPECT_EQ(token_after(std::chrono::milliseconds(1)), kNew);
  replace(kOld);
  EXPECT_EQ(token_after(kLater), kOld);
  EXPECT_EQ(changes, 2);
  EXPECT_TRUE(troubles.empty());
}

TEST_F(TokenFileTest, the_last_good_token_stays_whatever_becomes_of_the_file) {
  ASSERT_EQ(::unlink(path().c_str()), 0);
  EXPECT_EQ(token_after(kLater), kOld);
  EXPECT_EQ(token_after(kLater), kOld);
  ASSERT_EQ(troubles.size(), 1U) << "it is said once";
  EXPECT_NE(troubles[0].find("No such file"), std::string::npos);
  for (const std::string& text : {std::string(), std::string("short\n"), "\n" + kNew,
                                  std::string(5000, 'x'), kNew + "\x01"}) {
    write(text);
    EXPECT_EQ(token_after(kLater), kOld) << text;
  }
  EXPECT_EQ(troubles.size(), 1U);
  write(kNew);
  EXPECT_EQ(token_after(kLater), kNew);
  write("");
  EXPECT_EQ(token_after(kLater), kNew);
  ASSERT_EQ(troubles.size(), 2U) << "of another time";
  for (const std::string& said : troubles) EXPECT_EQ(said.find("0123456789"), std::string::npos);
}

TEST_F(TokenFileTest, what_takes_the_files_place_and_never_ends_is_not_waited_for) {
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(token_after(kLater), kOld);
  ASSERT_EQ(::unlink(path().c_str()), 0);
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  EXPECT_EQ(token_after(kLater), kOld);
  EXPECT_EQ(troubles.size(), 1U);
  ASSERT_EQ(::rmdir(path().c_str()), 0);
}

TEST_F(TokenFileTest, without_a_token_there_is_none_to_begin_with) {
  write("short");
  const auto wrong = TokenFile::open(path(), kBegin);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find(path()), std::string::npos);
  EXPECT_EQ(wrong.error().message.find("short"), std::string::npos) << "what is in it is secret";
  EXPECT_FALSE(TokenFile::open(path() + "-nowhere", kBegin));
}

TEST_F(TokenFileTest, a_file_that_is_too_large_to_be_a_tokens_is_refused_by_all_who_read_it) {
  const std::string fits = kNew + "\n" + std::string(4096 - kNew.size() - 1, ' ');
  write(fits + " ");
  EXPECT_EQ(token_after(kLater), kOld);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_NE(troubles[0].find("it is larger than 4096 bytes, which no token's file is"),
            std::string::npos)
      << troubles[0];
  EXPECT_FALSE(TokenFile::open(path(), kBegin));
  const auto loaded = load_token(path());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, troubles[0]);
  write(fits);
  EXPECT_EQ(*load_token(path()), kNew);
  EXPECT_EQ(token_after(kLater), kNew);
}

TEST(token_file, a_pipe_is_read_once) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], kOld.data(), kOld.size()), static_cast<ssize_t>(kOld.size()));
  ::close(ends[1]);
  auto file = TokenFile::open("/dev/fd/" + std::to_string(ends[0]), kBegin);
  ASSERT_TRUE(file) << file.error().message;
  file->set_reports({.on_change = [] { FAIL(); }, .on_trouble = [](std::string_view) { FAIL(); }});
  EXPECT_EQ(file->token(kBegin + kLater), kOld);
  ::close(ends[0]);
}

TEST(token_file, a_token_is_the_first_line) {
  EXPECT_EQ(*read_token(kOld + "\nmore\n"), kOld);
  EXPECT_EQ(*read_token(kOld + "\r\n"), kOld);
  EXPECT_EQ(*read_token(kOld), kOld);
  for (const std::string& text : {std::string(), std::string("short\n"), "\n" + kOld,
                                  kOld + " " + kOld, std::string(2000, 'x'), kOld + "\x01"}) {
    EXPECT_FALSE(read_token(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
