// catalog::Catalog: the record of experiments and of the versions of their artifacts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::catalog {

// Which experiments are meant, as to whether they were deleted.
enum class Deleted {
  hidden,  // those that were not
  only,    // those that were
  any,
};

struct Filter {
  std::optional<std::string> project;
  std::vector<model::State> states;       // of the last attempt; empty: any
  std::optional<std::string> key_prefix;  // any bytes, compared as bytes
  Deleted deleted = Deleted::hidden;
};

// An experiment whose record is damaged, or was written by a newer Studio.
struct Unreadable {
  std::string key;
  Error error;  // `corrupt` or `unsupported`; names the record and where it lies
};

struct Listed {
  std::vector<model::Experiment> experiments;
  std::vector<Unreadable> unreadable;  // in no particular order
};

// What happened to experiments since some moment.
struct Changed {
  model::Experiment experiment;  // as it is now
  std::uint64_t sequence = 0;    // the moment of its last change
};
struct Changes {
  std::vector<Changed> experiments;    // ascending
  std::vector<Unreadable> unreadable;  // what changed, but cannot be read
  std::uint64_t sequence = 0;          // of the last of both, or that which was given: to be passed to the next call

  std::size_t size() const { return experiments.size() + unreadable.size(); }
};

// Thread-safe, and safe with other processes on the same catalog. What a call has returned is durable. Every call may
// fail with `unavailable` (another process holds the catalog for too long), `exhausted`, `denied` or `corrupt`.
class Catalog {
 public:
  virtual ~Catalog() = default;

  // The experiment's `revision` is ignored; it is stored as 1. `already_exists` if the key is taken; `invalid` if the
  // record could not be read back (doc/records.md), as with update() and commit().
  virtual Result<void> create(const model::Experiment& experiment) = 0;
  // `not_found` if there is none.
  virtual Result<model::Experiment> load(std::string_view key) = 0;
  // Replaces the record if the stored revision is still `experiment.revision`, and returns the new revision; otherwise
  // `conflict`. `not_found` if there is none. If its attempt has a greater number than the stored one, that one is kept
  // as it is among attempts(); `invalid` if the number is smaller.
  virtual Result<std::uint64_t> update(const model::Experiment& experiment) = 0;
  // Those from number `from` on, ascending; the last is that of the record. An unknown experiment has none.
  virtual Result<std::vector<model::Attempt>> attempts(std::string_view key, std::uint64_t from) = 0;
  // Newest `created` first (ties by key), at most `limit`, those that cannot be read among them.
  virtual Result<Listed> list(const Filter& filter, std::size_t limit) = 0;
  // Experiments created or updated (and so deleted or restored) after the moment `sequence`, of which 0 is before all,
  // at most `limit` (which is not 0), those that cannot be read among them: what comes first, so that calls go on until
  // nothing is left. Costs what it finds.
  virtual Result<Changes> changes(std::uint64_t sequence, std::size_t limit) = 0;

  // Adds a version. `token` must be the experiment's present token, otherwise `conflict`: the writer was superseded.
  // `already_exists` if the number is taken, `not_found` if the experiment is.
  virtual Result<void> commit(const model::Version& version, std::uint64_t token) = 0;
  // By tag, then number, ascending. With a tag only that tag's. An unknown experiment has none.
  virtual Result<std::vector<model::Version>> versions(std::string_view key, std::optional<std::string> tag) = 0;
  // Nothing if there is none of that number.
  virtual Result<std::optional<model::Version>> version(std::string_view key, std::string_view tag,
                                                        std::uint64_t number) = 0;
  // The highest number; nothing if the tag has no version.
  virtual Result<std::optional<model::Version>> latest(std::string_view key, std::string_view tag) = 0;
};

// Load, change, update, again while others win the race; `unavailable` if they always do. `change` may be called
// several times, each time with the record as it is then, and may refuse with an error, which is returned. It must
// leave the key alone. Returns the record as stored.
using Change = std::function<Result<void>(model::Experiment&)>;
Result<model::Experiment> redo_update(Catalog& catalog, std::string_view key, const Change& change);

}  // namespace studio::catalog
