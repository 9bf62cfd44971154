// One request that a connection has read, and the answer of its handler.
#pragma once

#include <memory>
#include <vector>

#include "net/http_connection.hpp"

namespace studio::net {

class Exchange : public HttpExchange {
 public:
  explicit Exchange(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  const HttpRequest& request() const override { return connection_->request(); }
  Result<std::string> body(std::uint64_t most) override;
  void respond(HttpResponse response) override;
  Result<void> begin(HttpResponse head, std::optional<std::uint64_t> length) override;
  Result<void> write(ByteView bytes) override;
  void finish() override;
  std::shared_ptr<EventStream> stream(HttpResponse head) override;

  // After the handler.
  void conclude();

 private:
  Result<void> send_in_pieces(const std::vector<asio::const_buffer>& parts);
  Result<void> write_piece(ByteView piece);

  const std::shared_ptr<Connection> connection_;
  Framing framing_ = Framing::length;
  std::uint64_t left_ = 0;    // of a body whose length was given
  unsigned body_status_ = 0;  // of the answer, if the body could not be taken
  bool answered_ = false;
  bool is_begun_ = false;  // and not finished
};

}  // namespace studio::net
