// Threads that share the work of one job.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace studio {

// Tasks come from outside and wait in a bounded queue; parts come from tasks that are under way, and go first. A task
// that waits for its parts does parts meanwhile, so no number of threads is too small. Thread-safe.
class WorkerPool {
 public:
  // Gets the number of the thread that runs it, from 0: each thread may own what is not thread-safe.
  using Task = std::function<void(std::size_t worker)>;

  // As many as there are cores, but no more than would make a disk faster. The same at every call.
  static std::size_t usual_threads();

  // The threads inherit the priority of the calling one. Fewer, or none, where the system gives no more; with none,
  // submit() runs the task.
  explicit WorkerPool(std::size_t threads);
  // What was submitted is done first.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::size_t size() const { return threads_.size(); }

  // Not from a worker: waits while many tasks wait.
  void submit(Task task);
  // From a worker; does not wait.
  void submit_part(Task part);
  // From a worker: does parts until `is_done`, which is asked under the pool's lock each time a task or part has ended.
  void do_parts_until(std::size_t worker, const std::function<bool()>& is_done);
  // Not from a worker: the same without doing anything.
  void wait_until(const std::function<bool()>& is_done);

 private:
  void run(std::size_t worker);
  // Takes `task` off its queue and runs it without the lock.
  void run_one(std::unique_lock<std::mutex>& lock, std::deque<Task>& queue, std::size_t worker);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::deque<Task> parts_;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace studio
