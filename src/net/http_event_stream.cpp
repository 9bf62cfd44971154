#include "net/http_event_stream.hpp"

#include <array>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace studio::net {

namespace {

// A connection that sends what is queued until one side ends it.
class ConnectionStream : public std::enable_shared_from_this<ConnectionStream> {
 public:
  explicit ConnectionStream(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  void start(std::string head) {
    queue(std::move(head));
    // A peer that goes away is noticed by reading, of which nothing else comes.
    post([](ConnectionStream& self) { self.wait_for_end(); });
  }

  void queue(std::string bytes) {
    const std::lock_guard lock(mutex_);
    if (!open_) return;
    pending_ += bytes.size();
    waiting_ += bytes;
    if (!std::exchange(writing_, true)) post([](ConnectionStream& self) { self.write(); });
  }

  // When all is sent.
  void end() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (!writing_) close_later();
  }

  std::size_t pending() const {
    const std::lock_guard lock(mutex_);
    return pending_;
  }
  bool is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  // To the connection's thread.
  template <class Action>
  void post(Action action) {
    asio::post(connection_->owner().io(), [self = shared_from_this(), action] { action(*self); });
  }
  void close_later() {
    post([](ConnectionStream& self) { self.is_open() ? self.connection_->end_stream() : self.connection_->close(); });
  }

  void wait_for_end() {
    const auto read = [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) return self->wait_for_end();
      const std::lock_guard lock(self->mutex_);
      self->open_ = false;
    };
    connection_->stream().async_read_some(asio::buffer(ignored_), read);
  }

  void write() {
    {
      const std::lock_guard lock(mutex_);
      on_its_way_ = std::exchange(waiting_, {});
    }
    connection_->stream().transport().expires_after(connection_->owner().options().patience);
    asio::async_write(connection_->stream(), asio::buffer(on_its_way_),
                      [self = shared_from_this()](error_code error, std::size_t) { self->written(error); });
  }

  void written(error_code error) {
    connection_->stream().transport().expires_never();
    const std::lock_guard lock(mutex_);
    pending_ -= on_its_way_.size();
    open_ = open_ && !error;
    if (open_ && !waiting_.empty()) return post([](ConnectionStream& self) { self.write(); });
    writing_ = false;
    if (!open_ || ending_) close_later();
  }

  const std::shared_ptr<Connection> connection_;
  std::array<char, 64> ignored_{};
  std::string on_its_way_;  // the connection's thread
  mutable std::mutex mutex_;
  std::string waiting_;
  std::size_t pending_ = 0;
  bool writing_ = false;
  bool ending_ = false;
  bool open_ = true;
};

// What its owner holds: the connection ends with it.
class OwnedStream : public EventStream {
 public:
  explicit OwnedStream(std::shared_ptr<ConnectionStream> stream) : stream_(std::move(stream)) {}
  ~OwnedStream() override { stream_->end(); }
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  void send(std::string bytes) override { stream_->queue(std::move(bytes)); }
  std::size_t pending() const override { return stream_->pending(); }
  bool is_open() const override { return stream_->is_open(); }

 private:
  const std::shared_ptr<ConnectionStream> stream_;
};

}  // namespace

std::shared_ptr<EventStream> begin_event_stream(std::shared_ptr<Connection> connection, std::string head) {
  auto stream = std::make_shared<ConnectionStream>(std::move(connection));
  stream->start(std::move(head));
  return std::make_shared<OwnedStream>(std::move(stream));
}

}  // namespace studio::net
