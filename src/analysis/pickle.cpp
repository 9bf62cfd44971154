#include "analysis/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "analysis/byte_cursor.hpp"
#include "analysis/checkpoint.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Kind = PickleValue::Kind;

// Modules whose functions reach outside of a checkpoint, or load another that is then run, and functions of others that
// do.
constexpr std::array<std::string_view, 67> k_dangerous{"os.",
                                                       "posix.",
                                                       "nt.",
                                                       "subprocess.",
                                                       "sys.",
                                                       "socket.",
                                                       "shutil.",
                                                       "importlib.",
                                                       "imp.",
                                                       "runpy.",
                                                       "pty.",
                                                       "ctypes.",
                                                       "webbrowser.",
                                                       "pickle.",
                                                       "_pickle.",
                                                       "dill.",
                                                       "cloudpickle.",
                                                       "marshal.",
                                                       "code.",
                                                       "commands.",
                                                       "asyncio.",
                                                       "multiprocessing.",
                                                       "threading.",
                                                       "http.",
                                                       "httplib.",
                                                       "urllib.",
                                                       "requests.",
                                                       "aiohttp.",
                                                       "ftplib.",
                                                       "smtplib.",
                                                       "pip.",
                                                       "tempfile.",
                                                       "timeit.",
                                                       "pdb.",
                                                       "bdb.",
                                                       "trace.",
                                                       "profile.",
                                                       "cProfile.",
                                                       "io.open",
                                                       "_io.",
                                                       "codecs.open",
                                                       "types.CodeType",
                                                       "types.FunctionType",
                                                       "builtins.eval",
                                                       "builtins.exec",
                                                       "builtins.compile",
                                                       "builtins.open",
                                                       "builtins.getattr",
                                                       "builtins.breakpoint",
                                                       "builtins.__import__",
                                                       "__builtin__.eval",
                                                       "__builtin__.exec",
                                                       "__builtin__.execfile",
                                                       "__builtin__.compile",
                                                       "__builtin__.open",
                                                       "__builtin__.file",
                                                       "__builtin__.getattr",
                                                       "__builtin__.apply",
                                                       "__builtin__.__import__",
                                                       "operator.attrgetter",
                                                       "operator.methodcaller",
                                                       "torch.load",
                                                       "torch.hub.",
                                                       "torch.serialization.load",
                                                       "torch.storage._load_from_bytes",
                                                       "numpy.load",
                                                       "numpy.testing."};

constexpr std::size_t k_most_imports = 10'000;

bool is_getattr(const PickleValue& value) {
  return value.kind == Kind::global && (value.text == "builtins.getattr" || value.text == "__builtin__.getattr");
}

bool is_dangerous(std::string_view import) {
  return std::ranges::any_of(k_dangerous, [&](std::string_view each) { return import.starts_with(each); });
}

}  // namespace

// The machine that a pickle is a program for: a stack of values, and marks in it.
class PickleReader {
 public:
  PickleReader(Pickle& pickle, ByteSource& file, std::uint64_t offset)
      : pickle_(pickle), in_(file, offset, k_most_head) {}

  Result<void> run() {
    auto error = run_to_end();
    if (getattr_ != nullptr && loose_getattrs_ > 0) note_import(std::string(getattr_->text));
    if (error) {
      // It is run instruction by instruction: what is wrong further on does not keep it from doing what comes before.
      const auto dangerous = dangerous_imports(pickle_.imports_);
      if (!dangerous.empty()) error->message += concat("; before that, it calls ", printable(dangerous.front()));
      return *std::move(error);
    }
    pickle_.root_ = stack_.back();
    pickle_.end_ = in_.position();
    return {};
  }

 private:
  std::optional<Error> run_to_end() {
    for (unsigned char code = 0; number(code) && code != '.';) {
      if (!step(code) && !in_.failure())
        return malformed(concat("has a wrong instruction before byte ", in_.position()));
      if (std::max({pickle_.values_.size(), stack_.size(), marks_.size(), memo_.size()}) > Pickle::k_most_values)
        return Error{Code::exhausted, "the pickle has too many values"};
      if (pickle_.imports_.size() > k_most_imports) return Error{Code::exhausted, "the pickle imports too much"};
    }
    if (in_.failure()) return Error{in_.failure()->code, concat("the pickle: ", in_.failure()->message)};
    if (stack_.empty()) return malformed("has no value");
    return std::nullopt;
  }

  static Error malformed(std::string_view what) { return {Code::corrupt, concat("the pickle ", what)}; }

  // Arguments of instructions: false if the bytes are not there.
  template <class Integer>
  bool number(Integer& value) {
    return in_.number(value);
  }
  template <class Length>
  bool sized(std::string& text) {
    Length length{};
    return number(length) && in_.text(length, text);
  }
  bool line(std::string& text) { return in_.line(text); }

  PickleValue& make(Kind kind) {
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    return value;
  }
  bool push(PickleValue& value) {
    if (is_getattr(value)) {
      getattr_ = &value;
      ++loose_getattrs_;
    }
    stack_.push_back(&value);
    return true;
  }
  bool push_integer(std::int64_t value, Kind kind = Kind::integer) {
    PickleValue& made = make(kind);
    made.integer = value;
    return push(made);
  }
  bool push_text(std::string text) {
    PickleValue& made = make(Kind::text);
    made.integer = static_cast<std::int64_t>(text.size());
    made.text = pickle_.texts_.emplace_back(std::move(text));
    return push(made);
  }
  template <class Length>
  bool push_sized_text() {
    Length length{};
    if (!number(length)) return false;
    if (length > Pickle::k_longest_text) {
      PickleValue& made = make(Kind::text);
      made.integer = static_cast<std::int64_t>(length);
      return in_.skip(length) && push(made);
    }
    std::string text;
    return in_.text(length, text) && push_text(std::move(text));
  }
  PickleValue* pop() {
    const std::size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) return nullptr;
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue* top() { return stack_.empty() ? nullptr : stack_.back(); }
  // All above the last mark, which goes.
  bool pop_mark(std::vector<const PickleValue*>& items) {
    if (marks_.empty()) return false;
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    items.assign(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return true;
  }

  bool push_global(std::string_view module, std::string_view name) {
    PickleValue& made = make(Kind::global);
    made.text = pickle_.texts_.emplace_back(concat(module, ".", name));
    if (!is_getattr(made)) note_import(std::string(made.text));
    note_path(name);
    return push(made);
  }
  // A name with dots is looked up part by part: "os.system" of any module that imports os.
  void note_path(std::string_view name) {
    for (std::string_view rest = name; rest.find('.') != rest.npos; rest.remove_prefix(rest.find('.') + 1))
      if (is_dangerous(rest)) {
        note_import(std::string(rest));
        break;
      }
  }
  // Python 3.11 writes the member of an enumeration as getattr(class, name). Called so it is no more than an import of
  // a name with dots, and is judged as that; whatever else becomes of getattr is dangerous.
  void judge_getattr(const PickleValue& arguments) {
    const auto& items = arguments.items;
    const bool is_import = arguments.kind == Kind::tuple && items.size() == 2 && items[0]->kind == Kind::global &&
                           items[1]->kind == Kind::text && !items[1]->text.empty();
    if (!is_import) return;
    --loose_getattrs_;
    const std::string path = concat(items[0]->text, ".", items[1]->text);
    note_import(path);
    note_path(std::string_view(path).substr(items[0]->text.rfind('.') + 1));
  }
  void note_import(const std::string& name) {
    if (seen_.insert(name).second) pickle_.imports_.push_back(name);
  }
  bool push_tuple(std::size_t size) {
    PickleValue& made = make(Kind::tuple);
    made.items.resize(size);
    for (std::size_t i = size; i-- > 0;) {
      made.items[i] = pop();
      if (made.items[i] == nullptr) return false;
    }
    return push(made);
  }
  bool push_marked(Kind kind) {
    PickleValue& made = make(kind);
    if (!pop_mark(made.items)) return false;
    if (kind != Kind::dictionary) return push(made);
    std::vector<const PickleValue*> items;
    items.swap(made.items);
    return put_pairs(made, items) && push(made);
  }
  // What is put into the result of a call, such as an OrderedDict, is kept with it.
  static bool put_pairs(PickleValue& into, const std::vector<const PickleValue*>& items) {
    if (items.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < items.size(); i += 2) into.pairs.emplace_back(items[i], items[i + 1]);
    return true;
  }
  // Those of a call's result are not kept: no list is made in this way that is looked at.
  static bool put_items(PickleValue& into, const std::vector<const PickleValue*>& items) {
    if (into.kind == Kind::list) into.items.insert(into.items.end(), items.begin(), items.end());
    return true;
  }
  bool push_call() {
    const PickleValue* arguments = pop();
    const PickleValue* callee = arguments == nullptr ? nullptr : pop();
    if (callee == nullptr) return false;
    if (is_getattr(*callee)) judge_getattr(*arguments);
    PickleValue& made = make(Kind::call);
    made.items = {callee, arguments};
    return push(made);
  }
  bool push_persistent(const PickleValue* id) {
    if (id == nullptr) return false;
    PickleValue& made = make(Kind::persistent);
    made.items = {id};
    return push(made);
  }

  bool put(std::uint64_t index) {
    if (stack_.empty()) return false;
    memo_[index] = stack_.back();
    return true;
  }
  bool get(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return false;
    return push(*found->second);
  }

  static bool parse_integer(std::string_view text, std::int64_t& value) {
    if (text.ends_with('L')) text.remove_suffix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }
  // Two's complement, little-endian, as many bytes as there are.
  bool push_long(std::string_view bytes) {
    if (bytes.size() > sizeof(std::int64_t)) return push(make(Kind::other));
    std::uint64_t value = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return push_integer(static_cast<std::int64_t>(value));
  }

  bool step(unsigned char code);
  bool step_text(unsigned char code);
  bool step_container(unsigned char code);
  bool step_object(unsigned char code);

  Pickle& pickle_;
  ByteCursor in_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, PickleValue*> memo_;
  std::set<std::string, std::less<>> seen_;
  const PickleValue* getattr_ = nullptr;
  std::size_t loose_getattrs_ = 0;  // on the stack or anywhere else, but not called as judge_getattr() likes it
};

// Numbers, marks and the memo; the rest is below.
bool PickleReader::step(unsigned char code) {
  std::uint8_t small = 0;
  std::uint16_t short_number = 0;
  std::uint32_t index = 0;
  std::int32_t integer = 0;
  std::uint64_t bits = 0;
  std::int64_t value = 0;
  std::string text;
  switch (code) {
    case 0x80: return number(small);  // PROTO
    case 0x95: return number(bits);   // FRAME
    case '(': marks_.push_back(stack_.size()); return true;
    case '0': return pop() != nullptr;  // POP
    case '1': {
      std::vector<const PickleValue*> dropped;
      return pop_mark(dropped);
    }
    case '2': return top() != nullptr && push(*top());  // DUP
    case 'N': return push(make(Kind::none));
    case 0x88: return push_integer(1, Kind::boolean);
    case 0x89: return push_integer(0, Kind::boolean);
    case 'J': return number(integer) && push_integer(integer);
    case 'K': return number(small) && push_integer(small);
    case 'M': return number(short_number) && push_integer(short_number);
    case 'I':
      if (!line(text)) return false;
      if (text == "00" || text == "01") return push_integer(text == "01" ? 1 : 0, Kind::boolean);
      return parse_integer(text, value) ? push_integer(value) : push(make(Kind::other));
    case 'L': return line(text) && (parse_integer(text, value) ? push_integer(value) : push(make(Kind::other)));
    case 0x8a: return sized<std::uint8_t>(text) && push_long(text);
    case 0x8b: return sized<std::uint32_t>(text) && push_long(text);
    case 'G': {  // big-endian
      if (!number(bits)) return false;
      PickleValue& made = make(Kind::real);
      made.real = std::bit_cast<double>(__builtin_bswap64(bits));
      return push(made);
    }
    case 'F': return line(text) && push(make(Kind::other));
    case 'p': return line(text) && parse_integer(text, value) && put(static_cast<std::uint64_t>(value));
    case 'q': return number(small) && put(small);
    case 'r': return number(index) && put(index);
    case 0x94: return put(memo_.size());
    case 'g': return line(text) && parse_integer(text, value) && get(static_cast<std::uint64_t>(value));
    case 'h': return number(small) && get(small);
    case 'j': return number(index) && get(index);
    default: return step_text(code);
  }
}

bool PickleReader::step_text(unsigned char code) {
  std::string text;
  switch (code) {
    case 'S': return line(text) && text.size() >= 2 && push_text(text.substr(1, text.size() - 2));  // in quotes
    case 'V': return line(text) && push_text(std::move(text));
    case 'U':
    case 'C':
    case 0x8c: return push_sized_text<std::uint8_t>();
    case 'T':
    case 'X':
    case 'B': return push_sized_text<std::uint32_t>();
    case 0x8d:
    case 0x8e:
    case 0x96: return push_sized_text<std::uint64_t>();
    default: return step_container(code);
  }
}

bool PickleReader::step_container(unsigned char code) {
  std::vector<const PickleValue*> items;
  switch (code) {
    case ']':
    case 0x8f: return push(make(Kind::list));
    case ')': return push(make(Kind::tuple));
    case '}': return push(make(Kind::dictionary));
    case 'l':
    case 0x91: return push_marked(Kind::list);
    case 't': return push_marked(Kind::tuple);
    case 'd': return push_marked(Kind::dictionary);
    case 0x85: return push_tuple(1);
    case 0x86: return push_tuple(2);
    case 0x87: return push_tuple(3);
    case 'a': {
      const PickleValue* item = pop();
      return item != nullptr && top() != nullptr && put_items(*top(), {item});
    }
    case 'e':
    case 0x90: return pop_mark(items) && top() != nullptr && put_items(*top(), items);
    case 's': {
      const PickleValue* value = pop();
      const PickleValue* key = value == nullptr ? nullptr : pop();
      return key != nullptr && top() != nullptr && put_pairs(*top(), {key, value});
    }
    case 'u': return pop_mark(items) && top() != nullptr && put_pairs(*top(), items);
    default: return step_object(code);
  }
}

bool PickleReader::step_object(unsigned char code) {
  std::string module;
  std::string name;
  std::vector<const PickleValue*> items;
  switch (code) {
    case 'c': return line(module) && line(name) && push_global(module, name);
    case 0x93: {  // STACK_GLOBAL
      const PickleValue* what = pop();
      const PickleValue* where = what == nullptr ? nullptr : pop();
      return where != nullptr && where->kind == Kind::text && what->kind == Kind::text &&
             push_global(where->text, what->text);
    }
    case 'R':                       // REDUCE
    case 0x81: return push_call();  // NEWOBJ
    case 0x92: {                    // NEWOBJ_EX: with arguments by name, which are passed over
      return pop() != nullptr && push_call();
    }
    case 'b': {  // BUILD
      const PickleValue* state = pop();
      if (state == nullptr || top() == nullptr) return false;
      if (top()->kind == Kind::call) top()->items.push_back(state);
      return true;
    }
    case 'i':    // INST
    case 'o': {  // OBJ
      if (code == 'i' && (!line(module) || !line(name))) return false;
      if (!pop_mark(items)) return false;
      if (code == 'i') {
        push_global(module, name);
        items.insert(items.begin(), pop());
      }
      if (items.empty()) return false;
      PickleValue& arguments = make(Kind::tuple);
      arguments.items.assign(items.begin() + 1, items.end());
      PickleValue& made = make(Kind::call);
      made.items = {items.front(), &arguments};
      return push(made);
    }
    case 'P': return line(name) && push_text(std::move(name)) && push_persistent(pop());
    case 'Q': return push_persistent(pop());
    case 0x97: return push(make(Kind::other));  // NEXT_BUFFER
    case 0x98: return true;                     // READONLY_BUFFER
    default: return false;
  }
}

Result<Pickle> Pickle::parse(ByteSource& file, std::uint64_t offset) {
  Pickle pickle;
  TRY(PickleReader(pickle, file, offset).run());
  return pickle;
}

std::vector<std::string> dangerous_imports(const std::vector<std::string>& imports) {
  std::vector<std::string> dangerous;
  std::ranges::copy_if(imports, std::back_inserter(dangerous), is_dangerous);
  return dangerous;
}

}  // namespace studio::analysis
