#!/usr/bin/env bash
# Runs the tests of internal/lane on an emulated Skylake-X, for machines without
# AVX-512: a Linux kernel and the test binary boot in Bochs. The kernel refuses
# Bochs' XSAVE sizes and leaves AVX off, so a module of ten lines turns it on.
# Debian 12: apt-get install bochs bochs-term bochsbios vgabios grub-pc-bin
# grub-common xorriso mtools busybox-static linux-image-cloud-amd64
# linux-headers-cloud-amd64 build-essential
# The accuracy tests are left out: Bochs 2.7 computes the big numbers they
# compare with wrongly.
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
mkdir -p "$tmp/root/bin" "$tmp/iso/boot/grub" "$tmp/mod"
CGO_ENABLED=0 go test -c -o "$tmp/root/lane.test" ./internal/lane
cp /bin/busybox "$tmp/root/bin/"
cat > "$tmp/mod/avx.c" <<'C'
#include <linux/module.h>
static int __init avx_init(void) {
	unsigned long cr4;
	asm volatile("mov %%cr4,%0" : "=r"(cr4));
	asm volatile("mov %0,%%cr4" :: "r"(cr4 | 1UL << 18) : "memory");
	asm volatile("xsetbv" :: "c"(0), "a"(0xE7), "d"(0));
	return 0;
}
module_init(avx_init);
MODULE_LICENSE("GPL");
C
echo 'obj-m := avx.o' > "$tmp/mod/Makefile"
kernel=$(ls -d /lib/modules/*cloud*/build | tail -1)
make -s -C "$kernel" M="$tmp/mod" modules
cp "$tmp/mod/avx.ko" "$tmp/root/"
cat > "$tmp/root/init" <<'SH'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /tmp
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox insmod /avx.ko
export GOMAXPROCS=1 GOGC=off GODEBUG=asyncpreemptoff=1
/lane.test -test.v -test.run 'Kernels|PowFast'
/bin/busybox sleep 2
/bin/busybox poweroff -f
SH
chmod +x "$tmp/root/init"
(cd "$tmp/root" && find . | cpio -o -H newc 2>/dev/null | gzip > "$tmp/iso/boot/initrd.gz")
cp "$(ls /boot/vmlinuz-*cloud* | tail -1)" "$tmp/iso/boot/vmlinuz"
echo 'set timeout=0
menuentry "lane" { linux /boot/vmlinuz console=ttyS0 quiet nosmp tsc=reliable mitigations=off
initrd /boot/initrd.gz }' > "$tmp/iso/boot/grub/grub.cfg"
grub-mkrescue -o "$tmp/lane.iso" "$tmp/iso" > "$tmp/grub.log" 2>&1
cat > "$tmp/bochsrc" <<RC
config_interface: textconfig
display_library: term
megs: 512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
ata0-master: type=cdrom, path=$tmp/lane.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$tmp/serial.txt
log: $tmp/bochs.log
panic: action=report
sound: driver=dummy, waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
plugin_ctrl: sb16=0, es1370=0, speaker=0, e1000=0, usb_uhci=0
RC
echo c | TERM=xterm timeout 900 script -qc "bochs -q -f $tmp/bochsrc" /dev/null > /dev/null 2>&1 || true
grep -E 'PASS|FAIL|no AVX-512' "$tmp/serial.txt"
! grep -qE 'FAIL|no AVX-512' "$tmp/serial.txt"
