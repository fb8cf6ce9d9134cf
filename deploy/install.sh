#!/usr/bin/env bash
# Installs motcua on a Debian or Ubuntu server without internet, and upgrades or rolls back what is there.
#
#   ./install.sh                        from the unpacked archive, as root: installs, or upgrades in place
#   ./install.sh --check                says whether this machine would do; changes nothing
#   /opt/motcua/install.sh --rollback   back to the version before the last upgrade
#
# Asks nothing, and may be run again at any time. Options of the first run are remembered in /etc/motcua/install.conf:
#
#   --prefix DIR        where versions are kept (/opt/motcua)
#   --home DIR          where the data is kept (/var/lib/motcua)
#   --backups DIR       where backups go (/var/backups/motcua)
#   --user NAME         the system account that runs it, made if missing (motcua)
#   --database-url URL  PostgreSQL instead of the embedded database: postgres://user:password@host:port/name
#   --no-start          lays everything out and starts nothing
set -Eeuo pipefail
umask 022
export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset PYTHONHOME PYTHONPATH PIP_CONFIG_FILE || true

HERE=$(cd "$(dirname "$0")" && pwd)
ETC=/etc/motcua
UNITS=/etc/systemd/system
NEEDED_MB=900
declare -A given=()
act=install start=yes

say() { printf '%s\n' "$*"; }
die() { trap - ERR; printf 'install.sh: %s\n' "$*" >&2; exit 1; }
trap 'die "stopped at line $LINENO ($BASH_COMMAND). What ran before still runs; mend the cause and run this again."' ERR

while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --home | --backups | --user | --database-url)
      [ $# -ge 2 ] && [ -n "$2" ] || die "$1 wants a value"
      given[${1#--}]=$2
      shift 2 ;;
    --rollback | --check) act=${1#--}; shift ;;
    --no-start) start=no; shift ;;
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) die "no option $1; --help lists them" ;;
  esac
done

# ---- what was chosen, now or at the first run ---------------------------------------------------------------------

remembered() { [ -r "$ETC/install.conf" ] && sed -n "s/^$1=//p" "$ETC/install.conf"; return 0; }

chosen() { # NAME DEFAULT
  local before value=${given[$1]:-$2}
  case $1:$value in
    user:*[!a-z0-9_-]* | user:[!a-z_]*) die "--user $value: an account's name is of small letters, digits, - and _" ;;
    user:*) ;;
    *[[:space:]\|\&\\\'\"%\$]*) die "--$1 $value: a path without spaces and special signs is wanted" ;;
    *:/?*) ;;
    *) die "--$1 $value: a path from the root is wanted" ;;
  esac
  before=$(remembered "$1")
  if [ -n "$before" ] && [ -n "${given[$1]:-}" ] && [ "$before" != "${value%/}" ]; then
    die "--$1 $value: this machine's motcua has $before since its first installation ($ETC/install.conf)"
  fi
  printf '%s' "${before:-${value%/}}"
}

PREFIX=$(chosen prefix /opt/motcua) || exit 1
HOUSE=$(chosen home /var/lib/motcua) || exit 1
BACKUPS=$(chosen backups /var/backups/motcua) || exit 1
ACCOUNT=$(chosen user motcua) || exit 1
case $BACKUPS/ in "$HOUSE"/*) die "--backups $BACKUPS lies in the home that it saves; name a place outside $HOUSE" ;; esac
URL=${given[database-url]:-}
case $URL in "" | postgres://?* | postgresql://?*) ;; *) die "--database-url: write postgres://user:password@host:port/name" ;; esac

[ "$(id -u)" -eq 0 ] || die "run this as root: sudo $0"
for tool in flock setpriv useradd sha256sum df; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install util-linux passwd coreutils"
done

# ---- small things that several steps want --------------------------------------------------------------------------

#: Runs a command as the account, with the settings of /etc/motcua/motcua.env and nothing of this shell's.
as_account() {
  local words=("PATH=$PATH" "LANG=C.UTF-8" "HOME=$HOUSE") line value
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in [A-Za-z_]*=*) ;; *) continue ;; esac
    value=${line#*=}
    case $value in \"*\") value=${value#\"} value=${value%\"} ;; esac
    words+=("${line%%=*}=$value")
  done <"$ETC/motcua.env"
  (cd / && exec env -i "${words[@]}" setpriv --reuid "$ACCOUNT" --regid "$ACCOUNT" --clear-groups -- "$@")
}

link() { # TARGET NAME: a symbolic link that is replaced in one step
  ln -sfn "$1" "$PREFIX/.$2.new"
  mv -T "$PREFIX/.$2.new" "$PREFIX/$2"
}

version_of() { [ -L "$PREFIX/$1" ] && basename "$(readlink "$PREFIX/$1")"; return 0; }

has_systemd() { [ -d /run/systemd/system ] && [ "$start" = yes ]; }

restart() {
  if ! has_systemd; then
    say "nothing started: $([ "$start" = no ] && echo "--no-start" || echo "systemd does not run here")"
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet motcua.target motcua-web.service motcua-work.service motcua-mirror.service motcua-backup.timer
  systemctl start motcua-backup.timer
  systemctl restart motcua.target motcua-web.service motcua-work.service
  if [ -e "$ETC/portal.toml" ]; then systemctl restart motcua-mirror.service; fi
}

#: Lays out the command and the units of the version that is current: one that goes back finds its own again.
lay_out() {
  local unit
  put 0755 "$PREFIX/current/motcua" "$PREFIX/bin/motcua"
  for unit in "$UNITS"/motcua*; do
    [ -e "$unit" ] && [ ! -e "$PREFIX/current/systemd/${unit##*/}" ] || continue
    if has_systemd; then systemctl disable --quiet --now "${unit##*/}"; fi
    rm "$unit"
  done
  for unit in "$PREFIX"/current/systemd/*.{service,timer,target}; do put 0644 "$unit" "$UNITS/${unit##*/}"; done
}

put() { # MODE FROM TO: with this machine's places, in one step
  sed -e "s|@PREFIX@|$PREFIX|g; s|@HOME@|$HOUSE|g; s|@BACKUPS@|$BACKUPS|g; s|@USER@|$ACCOUNT|g" "$2" >"$3.new"
  chmod "$1" "$3.new"
  mv "$3.new" "$3"
}

#: Whether the version that is current reads its databases and, where it was started, answers.
stands() {
  { as_account "$PREFIX/current/bin/motcua" doctor --json || true; } | "$PREFIX/current/bin/python3" -c '
import json, sys
told = sys.stdin.read()
sys.exit(any(each["fault"] for each in json.loads(told)["databases"].values()) if told else 1)' || return 1
  has_systemd || return 0
  as_account "$PREFIX/current/bin/python3" -c '
import os, re, sys, time, urllib.request
port = re.search(r"--port[ =](\d+)", os.environ.get("MOTCUA_SERVE", ""))
url = f"http://127.0.0.1:{port[1] if port else 8765}/healthz"
for _ in range(120):
    try:
        sys.exit(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).status != 200)
    except OSError:
        time.sleep(0.5)
sys.exit(f"{url} does not answer; journalctl -u motcua-web says why")'
}

if [ "$act" != check ]; then
  mkdir -p "$PREFIX"
  exec 9>"$PREFIX/.lock"
  flock -n 9 || die "another install.sh is at work in $PREFIX"
fi

# ---- the way back --------------------------------------------------------------------------------------------------

if [ "$act" = rollback ]; then
  now=$(version_of current) before=$(version_of previous)
  [ -n "$now" ] || die "nothing is installed in $PREFIX"
  [ -n "$before" ] && [ -x "$PREFIX/versions/$before/bin/motcua" ] || die "there is no version before $now in $PREFIX/versions"
  link "versions/$before" current
  link "versions/$now" previous
  lay_out
  restart
  stands || die "$before is current again, but does not stand; journalctl -u motcua-web says more"
  say "rolled back: $before runs, $now is kept. The data stayed as it is; the backup made before the upgrade lies in $BACKUPS."
  exit 0
fi

# ---- this archive and this machine ---------------------------------------------------------------------------------

[ -f "$HERE/SHA256SUMS" ] && [ -d "$HERE/wheels" ] || die "run this in the unpacked archive: it has no wheels beside it"
(cd "$HERE" && sha256sum --quiet --strict -c SHA256SUMS) >&2 || die "the archive is damaged or was changed; copy it again and compare its .sha256"
ID=$(cat "$HERE/VERSION")
ID=$ID-$(sha256sum "$HERE/SHA256SUMS" | cut -c1-8)

[ "$(uname -m)" = x86_64 ] || die "this archive is for x86_64, this machine is $(uname -m)"
PYTHON="" seen=""
for each in "${MOTCUA_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
  [ -n "$each" ] && command -v "$each" >/dev/null || continue
  minor=$("$each" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  seen="$seen $minor"
  [ -f "$HERE/requirements/$minor.txt" ] && { PYTHON=$(command -v "$each"); break; }
done
offered=$(cd "$HERE/requirements" && echo *.txt | sed 's/\.txt//g')
[ -n "$PYTHON" ] || die "no Python that this archive has wheels for ($offered); found:${seen:- none}. apt-get install python3 python3-venv"
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || die "the venv module is missing: apt-get install python3-venv"
place=$PREFIX
while [ ! -d "$place" ]; do place=$(dirname "$place"); done
free=$(($(df -Pk "$place" | awk 'NR == 2 {print $4}') / 1024))
[ "$free" -ge "$NEEDED_MB" ] || die "$PREFIX has $free MB free, $NEEDED_MB MB are needed; make room, or choose another place with --prefix"
if { [ -n "$URL" ] && [ ! -e "$ETC/motcua.env" ]; } || grep -qs '^DATABASE_URL=.*postgres' "$ETC/motcua.env"; then
  command -v pg_dump >/dev/null || die "pg_dump is missing, and there is no backup without it: apt-get install postgresql-client"
fi
if [ "$act" = check ]; then
  say "good: motcua $ID, $("$PYTHON" --version), $free MB free in $PREFIX; now there: $(version_of current)"
  exit 0
fi

# ---- account, folders, settings: laid out where missing, kept where there -------------------------------------------

if ! getent passwd "$ACCOUNT" >/dev/null; then
  useradd --system --user-group --home-dir "$HOUSE" --no-create-home --shell /usr/sbin/nologin "$ACCOUNT"
fi
mkdir -p "$PREFIX/versions" "$PREFIX/bin" "$ETC"
install -d -m 0700 -o "$ACCOUNT" -g "$ACCOUNT" "$HOUSE" "$BACKUPS"
printf 'prefix=%s\nhome=%s\nbackups=%s\nuser=%s\n' "$PREFIX" "$HOUSE" "$BACKUPS" "$ACCOUNT" >"$ETC/install.conf"
if [ ! -e "$ETC/motcua.env" ]; then
  (umask 077 && sed -e "s|@HOME@|$HOUSE|; s|@BACKUPS@|$BACKUPS|" "$HERE/systemd/motcua.env" >"$ETC/motcua.env.new")
  if [ -n "$URL" ]; then printf 'DATABASE_URL=%s\n' "$URL" >>"$ETC/motcua.env.new"; fi
  chown "root:$ACCOUNT" "$ETC/motcua.env.new"
  chmod 0640 "$ETC/motcua.env.new"
  mv "$ETC/motcua.env.new" "$ETC/motcua.env"
  settings=new
elif [ -n "$URL" ] && ! grep -qxF "DATABASE_URL=$URL" "$ETC/motcua.env"; then
  die "--database-url: $ETC/motcua.env names another database. To move house: motcua backup, change it there, motcua restore"
fi

# ---- the new version, beside the one that runs ----------------------------------------------------------------------

NEW=$PREFIX/versions/$ID
OLD=$(version_of current)
if [ ! -e "$NEW/.complete" ] || ! "$NEW/bin/python3" -c 'import motcua' 2>/dev/null; then # or made for a Python that is gone
  say "installing $ID beside ${OLD:-nothing}…"
  rm -rf "$NEW"
  "$PYTHON" -m venv "$NEW"
  "$NEW/bin/python3" -m pip --isolated --quiet --no-cache-dir --disable-pip-version-check --no-input install --no-index \
    --find-links "$HERE/wheels" --no-deps --require-hashes --no-compile -r "$HERE/requirements/$minor.txt" || {
    rm -rf "$NEW"
    die "pip could not install from the archive; the version that ran before still runs"
  }
  "$NEW/bin/python3" -m compileall -q -j 0 "$NEW/lib" >/dev/null || true # texts for other Pythons in some packages
  cp -R "$HERE/nginx" "$HERE/systemd" "$HERE/motcua" "$HERE/VERSION" "$NEW/"
  touch "$NEW/.complete"
fi

# ---- backup, migration, switch ---------------------------------------------------------------------------------------

if [ -n "$OLD" ] && [ "$OLD" != "$ID" ]; then
  backup=$BACKUPS/before-$ID-$(date +%Y%m%d-%H%M%S).tar.gz
  as_account "$PREFIX/current/bin/motcua" backup "$backup" ||
    die "the backup before the upgrade failed, so nothing was upgraded: $OLD still runs"
fi
if ! as_account "$NEW/bin/motcua" migrate; then
  if [ "${settings:-}" = new ]; then rm "$ETC/motcua.env"; fi # the next try may name another database
  die "the database could not be brought to $ID${OLD:+; $OLD still runs, and the backup lies in $backup}"
fi

install -m 0755 "$HERE/install.sh" "$PREFIX/.install.sh.new"
mv "$PREFIX/.install.sh.new" "$PREFIX/install.sh"
ln -sfn "$PREFIX/bin/motcua" /usr/local/bin/motcua
mkdir -p "$UNITS"

BEFORE=$(version_of previous)
if [ "$OLD" != "$ID" ]; then
  if [ -n "$OLD" ]; then link "versions/$OLD" previous; fi
  link "versions/$ID" current
fi
lay_out
restart
if ! stands; then
  if [ -n "$OLD" ] && [ "$OLD" != "$ID" ]; then
    link "versions/$OLD" current
    if [ -n "$BEFORE" ]; then link "versions/$BEFORE" previous; else rm "$PREFIX/previous"; fi
    lay_out
    restart
    die "$ID does not stand, so $OLD runs again; the backup lies in $backup"
  fi
  die "$ID is installed, but does not stand: motcua doctor says more"
fi

# Versions older than the one before are not needed any more.
for each in "$PREFIX"/versions/*; do
  case ${each##*/} in "$(version_of current)" | "$(version_of previous)") ;; *) rm -rf "$each" ;; esac
done
if [ "$OLD" = "$ID" ]; then
  say "motcua $ID was installed already; accounts, settings and units are in order"
elif [ -n "$OLD" ]; then
  say "motcua $ID runs in place of $OLD, which is kept: $PREFIX/install.sh --rollback. The backup before lies in $backup"
else
  say "motcua $ID is installed. Settings: $ETC/motcua.env. The first run: open /cai-dat on this machine, or from another with"
  say "the code that 'journalctl -u motcua-web' shows; TLS before it: $PREFIX/current/nginx/motcua.conf"
fi
