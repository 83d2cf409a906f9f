# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_vmbus makes contact at every version that it still speaks and a host can be limited to.

for version in 5.3 5.2 5.1 5.0 4.1 4.0 3.0 2.4; do
    wanted "contact-$version" || continue
    # Linux does not take the backup service from a host before 3.0, so that one has to be such a host.
    host=(--release ws2025)
    [ "$version" != 2.4 ] || host=(--release ws2012 --generation 1)
    boot "contact-$version" amd64 1 probe -- "${host[@]}" --vmbus-max "$version"
    problem=$(complaint)
    [ -n "$problem" ] || [ "$(said vmbus)" = "$version" ] || problem="the guest took version '$(said vmbus)'"
    row "contact-$version" "VMBus contact, host limited to $version" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$(grep -c '^GUEST device' "$console") devices}"
done
