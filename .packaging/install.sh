#!/bin/sh
# Installs openclaw-auth for the user who runs it, after its SHA-256 sum has been verified:
#   sh install.sh [--from ADDRESS] [--to DIRECTORY]
#     --from  an address or a directory with the files of a release
#             [default: @RELEASE@]
#     --to    where bin/ and share/ are [default: ~/.local]
# It needs no root, downloads two files, and changes nothing outside of that directory.
set -eu

version='@VERSION@'
from='@RELEASE@'
to=${HOME:-}/.local

fail() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit 1
}

# The name of what was built for this machine.
target() {
  case $(uname -s) in
    Linux) system=unknown-linux-gnu ;;
    Darwin) system=apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*) fail 'openclaw-auth does not run on Windows itself' 'install it inside WSL' ;;
    *) fail "nothing is built for $(uname -s)" 'cargo install --locked openclaw-auth' ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "nothing is built for $(uname -m)" 'cargo install --locked openclaw-auth' ;;
  esac
  printf '%s-%s\n' "$machine" "$system"
}

# Puts the file $1 of the release into the file $2.
fetch() {
  case $from in
    https://* | http://127.0.0.1:* | http://localhost:*) ;;
    http://*) fail "$from is not https" ;;
    *) cp "$from/$1" "$2" 2>/dev/null || fail "there is no $1 in $from"; return ;;
  esac
  if command -v curl >/dev/null; then
    curl -fsSL --proto-redir '=https' -o "$2" "$from/$1" || fail "could not download $from/$1"
  elif command -v wget >/dev/null; then
    wget -q -O "$2" "$from/$1" || fail "could not download $from/$1"
  else
    fail 'neither curl nor wget is installed' "download the files, and: sh install.sh --from DIRECTORY"
  fi
}

sum_of() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1"
  elif command -v shasum >/dev/null; then
    shasum -a 256 "$1"
  else
    fail 'neither sha256sum nor shasum is installed'
  fi | cut -d ' ' -f 1
}

# Puts the file $1 at $2, mode $3, in one step: a program that runs is not overwritten.
place() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  mv -f "$2.new" "$2"
}

# All of it is read before any of it is run.
main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --from) from=${2:?--from needs an address}; shift 2 ;;
      --to) to=${2:?--to needs a directory}; shift 2 ;;
      --help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
      *) fail "unknown option $1" "sh install.sh --help" ;;
    esac
  done
  case $to in /.local) fail 'HOME is not set' 'sh install.sh --to DIRECTORY' ;; esac
  name=openclaw-auth-$version-$(target)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  fetch SHA256SUMS "$work/SHA256SUMS"
  expected=$(awk -v name="$name.tar.gz" '$2 == name { print $1 }' "$work/SHA256SUMS")
  [ -n "$expected" ] || fail "$name.tar.gz is not part of this release"
  fetch "$name.tar.gz" "$work/$name.tar.gz"
  actual=$(sum_of "$work/$name.tar.gz")
  [ "$actual" = "$expected" ] ||
    fail "$name.tar.gz is not what was released: its SHA-256 sum is $actual, not $expected"
  tar -xzf "$work/$name.tar.gz" -C "$work"
  for page in "$work/$name"/man/*.1; do
    place "$page" "$to/share/man/man1/$(basename "$page")" 644
  done
  completions=$work/$name/completions
  place "$completions/openclaw-auth.bash" "$to/share/bash-completion/completions/openclaw-auth" 644
  place "$completions/openclaw-auth.fish" "$to/share/fish/vendor_completions.d/openclaw-auth.fish" 644
  place "$completions/_openclaw-auth" "$to/share/zsh/site-functions/_openclaw-auth" 644
  place "$work/$name/LICENSE" "$to/share/doc/openclaw-auth/LICENSE" 644
  place "$work/$name/THIRD-PARTY-LICENSES.txt" "$to/share/doc/openclaw-auth/THIRD-PARTY-LICENSES.txt" 644
  place "$work/$name/openclaw-auth" "$to/bin/openclaw-auth" 755
  "$to/bin/openclaw-auth" --version >/dev/null || fail "$to/bin/openclaw-auth does not start here"
  printf 'installed openclaw-auth %s: %s\n' "$version" "$to/bin/openclaw-auth"
  case :$PATH: in
    *":$to/bin:"*) ;;
    *) printf 'hint: add it to PATH: export PATH="%s:$PATH"\n' "$to/bin" ;;
  esac
}

main "$@"
