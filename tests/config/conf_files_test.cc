// The files in conf/ are right, and the commented one says everything.
#include <gtest/gtest.h>

#include "sluice/config/schema.h"
#include "support.h"

namespace sluice::test {
namespace {

TEST(ConfFiles, pass_their_own_check) {
  for (const std::string path : {"conf/sluice.yaml", "conf/demo.yaml", "conf/redis.yaml"}) {
    const std::string text = file_text(path);
    ASSERT_FALSE(text.empty()) << path;
    const ReadResult result = read(text);
    EXPECT_TRUE(result.config) << path;
    EXPECT_EQ(render_problems(path, text, result.problems), "");
  }
}

TEST(ConfFiles, commented_reference_shows_the_defaults) {
  const Config shown = config_of(file_text("conf/sluice.yaml"));
  const Config defaults = config_of(R"(
listeners: [{name: web, address: 0.0.0.0:8080, cluster: web}]
clusters: [{name: web, backends: [10.0.0.1:80, 10.0.0.2:80]}]
)");
  EXPECT_EQ(render_effective_config(shown), render_effective_config(defaults));
}

TEST(ConfFiles, commented_reference_names_every_setting) {
  const std::string text = file_text("conf/sluice.yaml");
  for (const SchemaRow& row : schema_rows()) {
    const std::string key = row.path.substr(row.path.find_last_of(".]") + 1);
    EXPECT_NE(text.find(key + ":"), std::string::npos) << row.path;
  }
}

TEST(ConfFiles, redis_probes_speak_redis) {
  const Config config = config_of(file_text("conf/redis.yaml"), {{"REDIS_PRIMARY_PORT", "7000"}});
  EXPECT_EQ(config.clusters[0].health_check->send, "PING\r\n");
  EXPECT_EQ(config.clusters[0].health_check->expect, "+PONG");
  EXPECT_EQ(config.clusters[0].backends[0].address.port(), 7000);
}

}  // namespace
}  // namespace sluice::test
