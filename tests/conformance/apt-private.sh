# SPDX-License-Identifier: BSD-3-Clause
# Sourced: apt_private FOLDER ARCHITECTURE PROGRAM ARGUMENT... runs apt-get or apt-cache with package lists of
# its own, so that source packages and packages of another architecture can be had without touching the
# machine's settings.

apt_private() {
    local folder=$1 architecture=$2 program=$3
    shift 3
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    : >>"$folder/status"
    if [ ! -s "$folder/apt.sources" ]; then apt_private_sources >"$folder/apt.sources"; fi
    "$program" -o Dir::Etc::sourcelist="$folder/apt.sources" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" \
        -o Dir::State::status="$folder/status" \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
        -o APT::Sandbox::User=root "$@"
}

# The machine's own Debian archives, binaries and sources, in the deb822 form.
apt_private_sources() {
    local file=/etc/apt/sources.list.d/debian.sources
    if [ -s "$file" ]; then
        sed 's/^Types:.*/Types: deb deb-src/' "$file"
        return
    fi
    awk '$1 == "deb" && /debian/ {
        sub(/^deb +(\[[^]]*\] +)?/, "")
        uri = $1; suite = $2; $1 = $2 = ""
        printf "Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents:%s\n\n", uri, suite, $0
    }' /etc/apt/sources.list
}
