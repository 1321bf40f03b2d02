#include "sluice/control/probe_script.h"

#include <fmt/format.h>

#include <string_view>

namespace sluice {
namespace {

std::string_view name(HttpMethod method) {
  switch (method) {
    case HttpMethod::get:
      return "GET";
    case HttpMethod::head:
      return "HEAD";
    case HttpMethod::options:
      return "OPTIONS";
    case HttpMethod::post:
      return "POST";
  }
  return "";
}

// For the Host header, which has no place for an IPv6 scope (RFC 9110 section 7.2).
std::string host_of(const Address& target) {
  if (target.is_unix()) return "localhost";
  if (target.kind() != Address::Kind::ipv6) return target.to_string();
  return Address::ipv6(target.bytes(), target.port()).to_string();
}

std::string make_request(const HttpProbeConfig& http, const Address& target) {
  return fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice-health-check\r\nAccept: */*\r\n"
      "Connection: close\r\n{}\r\n",
      name(http.method), http.path, http.host.empty() ? host_of(target) : http.host,
      // Without it a server may wait for a body (RFC 9110 section 8.6).
      http.method == HttpMethod::post ? "Content-Length: 0\r\n" : "");
}

void append(ProbeScript& script, const std::string& send, const std::string& expect) {
  if (!send.empty()) script.emplace_back(SendStep{send});
  if (!expect.empty()) script.emplace_back(ExpectStep{expect});
}

}  // namespace

ProbeScript make_probe_script(const HealthCheckConfig& config, const Address& target) {
  if (config.type == ProbeType::http) {
    return {SendStep{make_request(config.http, target)}, ExpectStatusStep{config.http.status}};
  }
  ProbeScript script;
  append(script, config.send, config.expect);
  for (const ProbeStepConfig& step : config.steps) append(script, step.send, step.expect);
  return script;
}

}  // namespace sluice
