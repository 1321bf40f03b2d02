#include "sluice/net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <utility>

#include "sluice/net/socket_address.h"

namespace sluice {

struct Resolver::Question {
  uv_getaddrinfo_t request{};
  Resolver* resolver = nullptr;  // null once it is gone
  Address name;
  std::function<void(Answer)> on_answer;

  static void finish(uv_getaddrinfo_t* request, int status, addrinfo* found);
};

namespace {

Resolver::Answer to_answer(const Address& name, int status, const addrinfo* found) {
  if (status != 0) {
    return failure(fmt::format("cannot resolve '{}': {}", name.text(), uv_strerror(status)));
  }
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    addresses.push_back(to_address(entry->ai_addr, entry->ai_addrlen).with_port(name.port()));
  }
  // Resolvers rotate their answers; a stable order keeps backends in their places.
  const auto by_bytes = [](const Address& a, const Address& b) {
    return std::pair(a.kind(), a.bytes()) < std::pair(b.kind(), b.bytes());
  };
  std::sort(addresses.begin(), addresses.end(), by_bytes);
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace

void Resolver::Question::finish(uv_getaddrinfo_t* request, int status, addrinfo* found) {
  const std::unique_ptr<Question> question(static_cast<Question*>(request->data));
  const Answer answer = to_answer(question->name, status, found);
  uv_freeaddrinfo(found);
  if (question->resolver == nullptr) return;
  question->resolver->questions_.erase(question.get());
  question->on_answer(answer);
}

Resolver::~Resolver() {
  for (Question* question : questions_) {
    question->resolver = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&question->request));
  }
}

void Resolver::resolve(const Address& name, std::function<void(Answer)> on_answer) {
  auto question = std::make_unique<Question>();
  question->request.data = question.get();
  question->resolver = this;
  question->name = name;
  question->on_answer = std::move(on_answer);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  const int status = uv_getaddrinfo(loop_.raw(), &question->request, &Question::finish,
                                    name.text().c_str(), nullptr, &hints);
  if (status != 0) {
    question->on_answer(to_answer(name, status, nullptr));
    return;
  }
  questions_.insert(question.release());
}

}  // namespace sluice
