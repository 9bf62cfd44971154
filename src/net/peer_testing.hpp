// The other end of a connection, for tests of servers and clients.
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
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), heard_(std::move(other.heard_)) {}
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
  // What comes next; nothing when the other side has closed.
  std::string hear_some() {
    hear_more();
    return std::exchange(heard_, {});
  }
  std::string ask(std::string_view request) {
    say(request);
    return hear_all();
  }
  void hang_up() const { ::shutdown(fd_, SHUT_RDWR); }

 private:
  friend class Listener;
  struct Accepted {
    int fd;
  };
  explicit Peer(Accepted accepted) : fd_(accepted.fd) {}

  bool hear_more() {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) heard_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_;
  std::string heard_;
};

// A server that does what the test says. Connections wait until they are accepted.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address_;
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(::bind(fd_, address, length), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    EXPECT_EQ(::getsockname(fd_, address, &length), 0);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return ntohs(address_.sin_port); }
  Peer accept() const { return Peer(Peer::Accepted{::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)}); }

 private:
  int fd_;
  sockaddr_in address_{};
};

}  // namespace studio::net
