#include "base/worker_pool.hpp"

#include <algorithm>
#include <system_error>

namespace studio {

std::size_t WorkerPool::usual_threads() {
  constexpr unsigned k_most = 4;
  static const std::size_t k_threads = std::clamp(std::thread::hardware_concurrency(), 1u, k_most);
  return k_threads;
}

WorkerPool::WorkerPool(std::size_t threads) {
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
  } catch (const std::system_error&) {
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

void WorkerPool::submit(Task task) {
  if (threads_.empty()) return task(0);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tasks_.size() < 2 * threads_.size(); });
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void WorkerPool::submit_part(Task part) {
  {
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
  }
  changed_.notify_all();
}

void WorkerPool::run_one(std::unique_lock<std::mutex>& lock, std::deque<Task>& queue, std::size_t worker) {
  const Task task = std::move(queue.front());
  queue.pop_front();
  changed_.notify_all();  // there is room
  lock.unlock();
  task(worker);
  lock.lock();
  changed_.notify_all();
}

void WorkerPool::do_parts_until(std::size_t worker, const std::function<bool()>& is_done) {
  std::unique_lock lock(mutex_);
  while (!is_done()) {
    if (parts_.empty()) {
      changed_.wait(lock);
    } else {
      run_one(lock, parts_, worker);
    }
  }
}

void WorkerPool::wait_until(const std::function<bool()>& is_done) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, is_done);
}

void WorkerPool::run(std::size_t worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !parts_.empty() || !tasks_.empty() || ending_; });
    if (!parts_.empty()) {
      run_one(lock, parts_, worker);
    } else if (!tasks_.empty()) {
      run_one(lock, tasks_, worker);
    } else {
      return;
    }
  }
}

}  // namespace studio
