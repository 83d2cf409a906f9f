# SPDX-License-Identifier: BSD-3-Clause
# Sourced: a guest that resets makes contact again; one that panics leaves its crash parameters with the host.

if wanted reboot; then
    make_image "$work/reboot.img" 8
    qemu_options="" boot reboot amd64 2 reboot-once -- --release ws2022 --disk "$work/reboot.img"
    problem=$(complaint)
    contacts=$(grep -a -c '^GUEST vmbus' "$console" || true)
    [ -n "$problem" ] || [ "$contacts" -eq 2 ] || problem="$contacts contacts on the console"
    row reboot "reset, then contact again" "$([ -z "$problem" ]; echo $?)" "${problem:-$contacts contacts}"
    rm -f "$work/reboot.img"
fi

if wanted panic; then
    boot panic amd64 2 panic -- --release ws2022
    problem=
    grep -a -q -i 'crash' "$hostlog" || problem="the host saw no crash"
    row panic "kernel panic: unload and crash parameters" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$(grep -a -i -m 1 'crash' "$hostlog" | cut -c1-60)}"
fi
