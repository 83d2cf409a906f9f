# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_vmbus makes contact at every version that it still speaks and a host can be limited to.

for version in 5.3 5.2 5.1 5.0 4.1 4.0 3.0 2.4; do
    wanted "contact-$version" || continue
    boot "contact-$version" amd64 1 probe -- --release ws2025 --vmbus-max "$version"
    problem=$(complaint)
    [ -n "$problem" ] || [ "$(said vmbus)" = "$version" ] || problem="the guest took version '$(said vmbus)'"
    row "contact-$version" "VMBus contact, host limited to $version" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$(grep -c '^GUEST device' "$console") devices}"
done
