// The other end of a connection, for tests of servers.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace studio::net {

// A peer that says what it likes.
class Peer {
 public:
  // Of the loopback address of IPv4 or (AF_INET6) IPv6.
  explicit Peer(std::uint16_t port, int family = AF_INET) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    const bool is_v4 = family == AF_INET;
    const auto* address = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
    EXPECT_EQ(::connect(fd_, address, is_v4 ? sizeof v4 : sizeof v6), 0);
  }
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False if the other side takes no more.
  bool say(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Until `end` was heard, or the other side has closed.
  std::string hear(std::string_view end) {
    while (heard_.find(end) == heard_.npos && hear_more()) {
    }
    const std::size_t at = heard_.find(end);
    const std::size_t length = at == heard_.npos ? heard_.size() : at + end.size();
    std::string text = heard_.substr(0, length);
    heard_.erase(0, length);
    return text;
  }
  std::string hear_all() {
    while (hear_more()) {
    }
    return std::exchange(heard_, {});
  }
  std::string ask(std::string_view request) {
    say(request);
    return hear_all();
  }
  void hang_up() const { ::shutdown(fd_, SHUT_RDWR); }

 private:
  bool hear_more() {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) heard_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  std::string heard_;
};

}  // namespace studio::net
