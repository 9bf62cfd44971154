# Sourced by the other scripts: installs Debian packages that are missing, nothing if none is.

build_packages="g++ cmake ninja-build ccache mold libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libsqlite3-dev libzstd-dev
  zlib1g-dev libssl-dev libexpected-dev libxxhash-dev libboost1.81-dev"
run_packages="python3 python3-numpy git"
test_packages="openssl libgtest-dev libgmock-dev python3-pytest python3-pytest-xdist python3-venv chromium fonts-dejavu-core clang-format clang-tidy util-linux strace attr"

install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  # Through env: sudo drops the variables of its caller.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
