# One round trip that says what this machine is: key=value lines between probe=1 and end=1. $1 folder, $2 python.
set -u; kv(){ printf '%s=%s\n' "$1" "$2"; }
T=""; command -v timeout >/dev/null 2>&1 && T="timeout 10"
kv probe 1; kv os "$(uname -s)"; kv arch "$(uname -m)"; kv user "$(id -un 2>/dev/null || id -u)"
if [ "$(uname -s)" = Darwin ]; then
  kv mem_bytes "$(sysctl -n hw.memsize)"; kv chip "$(sysctl -n machdep.cpu.brand_string)"; kv cpus "$(sysctl -n hw.ncpu)"
else
  kv mem_kb "$(awk '/MemTotal/{print $2}' /proc/meminfo)"; kv mem_avail_kb "$(awk '/MemAvailable/{print $2}' /proc/meminfo)"
  kv cpus "$(nproc 2>/dev/null || echo 1)"
fi
kv disk_free_kb "$(df -Pk "${1:-.}" | awk 'NR==2{print $4}')"
kv inode_free "$(df -Pi "${1:-.}" 2>/dev/null | awk 'NR==2{print $4}')"
kv shm_kb "$(df -Pk /dev/shm 2>/dev/null | awk 'NR==2{print $2}')"
kv cgroup_mem "$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || echo none)"
kv python "$($T "${2:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)"
kv time "$(date +%s)"
N=$(ip route 2>/dev/null | grep -c default || true); kv net "$([ "${N:-0}" -gt 0 ] && echo yes || ([ -e /proc/net/route ] && awk '$2=="00000000"{f=1} END{print f?"yes":"no"}' /proc/net/route || echo unknown))"
S=$(command -v nvidia-smi || ls /usr/lib/wsl/lib/nvidia-smi 2>/dev/null || true)
if [ -n "$S" ]; then
  O=$($T "$S" --query-gpu=index,name,uuid,driver_version,memory.total,memory.free --format=csv,noheader,nounits 2>&1); kv nvsmi_rc "$?"
  printf '%s\n' "$O" | sed 's/^/gpu=/'
  kv cuda "$($T "$S" 2>/dev/null | sed -n 's/.*CUDA Version: *\([0-9.]*\).*/\1/p' | head -n 1)"
else kv nvsmi_rc 127; fi
kv rocm "$(command -v amd-smi || command -v rocm-smi || echo none)"; kv kfd "$([ -e /dev/kfd ] && echo yes || echo no)"; kv end 1
