// The settings of the two logs: templates with their problems in place, syslog.
#include <gtest/gtest.h>

#include "sluice/config/log_target.h"
#include "sluice/config/schema.h"
#include "support.h"

namespace sluice::test {
namespace {

using Piece = AccessLogFormat::Piece;

AccessLogFormat format_of(std::string_view yaml, const Variables& variables = {}) {
  return config_of(file_with(fmt::format("access_log: {{format: {}}}", yaml)), variables)
      .access_log.format;
}

Lines problems_of_format(std::string_view yaml, const Variables& variables = {}) {
  return problems_of(file_with(fmt::format("access_log:\n  format: {}", yaml)), variables);
}

TEST(AccessLogFormats, text_and_json_are_themselves) {
  EXPECT_EQ(config_of(file_with("")).access_log.format.kind(), AccessLogFormat::Kind::text);
  EXPECT_EQ(format_of("text").kind(), AccessLogFormat::Kind::text);
  EXPECT_EQ(format_of("json").kind(), AccessLogFormat::Kind::json);
}

TEST(AccessLogFormats, template_is_cut_into_text_and_fields) {
  const AccessLogFormat format = format_of(R"("<%{client}> 100%% {x} %{reason}.")");
  EXPECT_EQ(format.kind(), AccessLogFormat::Kind::custom);
  EXPECT_EQ(format.pieces(), (std::vector<Piece>{{"<", AccessField::client},
                                                 {"> 100% {x} ", AccessField::reason},
                                                 {".", std::nullopt}}));
}

TEST(AccessLogFormats, variables_of_the_environment_are_replaced_before_it_is_read) {
  const AccessLogFormat format = format_of(R"("${HOST} $$ %{sent}")", {{"HOST", "lb1"}});
  EXPECT_EQ(format.pieces(), (std::vector<Piece>{{"lb1 $ ", AccessField::sent}}));
}

TEST(AccessLogFormats, unknown_field_is_shown_in_its_place) {
  EXPECT_EQ(problems_of_format(R"("%{client} %{backnd} %{reason}")"),
            Lines{"3:24+6 error: access_log.format: there is no field 'backnd'; did you mean "
                  "'backend'?"});
  EXPECT_EQ(problems_of_format(R"(é %{xyzzy} %{durtion_ms})"),
            (Lines{"3:15+5 error: access_log.format: there is no field 'xyzzy'",
                   "3:24+10 error: access_log.format: there is no field 'durtion_ms'; did you mean "
                   "'duration_ms'?"}));
  EXPECT_EQ(problems_of_format("'%{}'"),
            Lines{"3:12+3 error: access_log.format: '%{}' names no field"});
}

TEST(AccessLogFormats, percent_sign_that_begins_nothing_is_shown_in_its_place) {
  EXPECT_EQ(problems_of_format(R"("100% %{client}")"),
            Lines{"3:15+1 error: access_log.format: '%' begins a field, as in %{client}; a percent "
                  "sign itself is %%"});
  EXPECT_EQ(problems_of_format(R"("x %{client")"),
            Lines{"3:14+8 error: access_log.format: '%{' begins a field, and the '}' that ends it "
                  "is missing"});
  EXPECT_EQ(problems_of_format(R"("%%%")"),
            Lines{"3:14+1 error: access_log.format: '%' begins a field, as in %{client}; a percent "
                  "sign itself is %%"});
}

TEST(AccessLogFormats, what_is_no_format_says_what_would_be_one) {
  EXPECT_EQ(problems_of_format("jsno"),
            Lines{"3:11+4 error: access_log.format: expected text, json or a template with fields "
                  "as %{client}, not 'jsno'; did you mean 'json'?"});
  EXPECT_EQ(problems_of_format("[text]"),
            Lines{"3:11+1 error: access_log.format: expected text, json or a template, not a "
                  "list"});
  EXPECT_EQ(problems_of_format("'100%%'"),
            Lines{"3:11+7 error: access_log.format: a template without a field, as %{client} is "
                  "one"});
  EXPECT_EQ(problems_of_format(R"("%{client}\n%{reason}")"),
            Lines{"3:11+22 error: access_log.format: a line break or another control character: a "
                  "session is one line"});
}

TEST(AccessLogFormats, unquoted_one_that_yaml_cannot_read_says_to_quote_it) {
  EXPECT_EQ(problems_of_format("%{client} %{reason}"),
            Lines{"3:11+8 error: a text cannot begin with this character: put it in quotes"});
}

TEST(AccessLogFormats, problem_behind_a_variable_is_shown_at_the_whole_value) {
  EXPECT_EQ(problems_of_format(R"("${X} %{nmae}")", {{"X", "%%%%"}}),
            Lines{"3:11+14 error: access_log.format: there is no field 'nmae'"});
}

TEST(AccessLogFormats, template_reads_back_as_it_was) {
  for (const std::string_view yaml :
       {R"("%{client} \"quoted\" 100%% {x} $$1 \\ é")", "text", "json"}) {
    const Config config = config_of(file_with(fmt::format("access_log: {{format: {}}}", yaml)));
    const Config yaml_again = config_of(render_effective_config(config));
    const Config json_again = config_of(render_effective_config_json(config));
    EXPECT_EQ(yaml_again.access_log.format.source(), config.access_log.format.source());
    EXPECT_EQ(json_again.access_log.format.pieces(), config.access_log.format.pieces());
  }
}

TEST(AccessLogFormats, every_field_is_in_the_reference) {
  const std::string reference = render_reference();
  for (const std::string_view field : kAccessFieldNames) {
    EXPECT_NE(reference.find(field), std::string::npos) << field;
    EXPECT_EQ(problems_of_format(fmt::format("'%{{{}}}'", field)), Lines{});
  }
}

TEST(LogTargets, words_are_no_files) {
  EXPECT_EQ(log_target(""), LogTarget::none);
  EXPECT_EQ(log_target("stdout"), LogTarget::standard_output);
  EXPECT_EQ(log_target("/dev/stdout"), LogTarget::standard_output);
  EXPECT_EQ(log_target("/dev/stderr"), LogTarget::standard_error);
  EXPECT_EQ(log_target("syslog"), LogTarget::syslog);
  EXPECT_EQ(log_target("./syslog"), LogTarget::file);
  EXPECT_EQ(log_target("/var/log/syslog"), LogTarget::file);
  EXPECT_EQ(problems_of(file_with("state_file: /dev/stdout\nlog: {file: /dev/stdout}")), Lines{});
}

TEST(Syslog, has_an_address_a_facility_a_tag_and_a_severity) {
  const Config config = config_of(file_with(
      "log: {file: syslog, syslog: {address: 127.0.0.1:514, facility: local3, tag: lb/1}}\n"
      "access_log: {file: syslog, syslog: {severity: debug}}"));
  EXPECT_EQ(config.log.syslog.address.to_string(), "127.0.0.1:514");
  EXPECT_EQ(config.log.syslog.facility, SyslogFacility::local3);
  EXPECT_EQ(config.log.syslog.tag, "lb/1");
  EXPECT_EQ(config.access_log.syslog.address.to_string(), "unix:/dev/log");
  EXPECT_EQ(config.access_log.syslog.facility, SyslogFacility::local0);
  EXPECT_EQ(config.access_log.syslog_severity, LogLevel::debug);
  EXPECT_EQ(config_of(render_effective_config(config)).log.syslog.tag, "lb/1");
  EXPECT_EQ(render_effective_config(config_of(render_effective_config_json(config))),
            render_effective_config(config));
}

TEST(Syslog, wrong_values_are_errors_in_place) {
  EXPECT_EQ(problems_of(file_with("log: {file: syslog, syslog: {address: \"logs:514\"}}")),
            Lines{"2:39+10 error: log.syslog.address: 'logs:514' is a host name; here an IP "
                  "address is needed, as in 127.0.0.1:514"});
  EXPECT_EQ(problems_of(file_with("log: {file: syslog, syslog: {address: \"127.0.0.1:0\"}}")),
            Lines{"2:39+13 error: log.syslog.address: nobody can be reached at port 0"});
  EXPECT_EQ(problems_of(file_with("log: {file: syslog, syslog: {facility: local9}}")).size(), 1U);
  EXPECT_EQ(problems_of(file_with("access_log: {file: syslog, syslog: {tag: \"a b\"}}")),
            Lines{"2:42+5 error: access_log.syslog.tag: a tag is made of letters, digits and . _ - "
                  "/, not 'a b'"});
}

TEST(Syslog, settings_that_do_nothing_are_warned_of) {
  EXPECT_EQ(problems_of(file_with("access_log: {file: /var/log/syslog, syslog: {tag: x}}")),
            Lines{"2:45+1 warning: access_log.syslog does nothing unless access_log.file is "
                  "syslog"});
}

}  // namespace
}  // namespace sluice::test
