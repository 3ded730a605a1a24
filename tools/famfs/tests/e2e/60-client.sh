# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_a_client_sees_new_files_at_once()
{
	mount.fuse.famfs -o client "$dev" "$mnt2"
	[[ ! -e $mnt2/new ]]
	famfs creat -s 3M "$mnt/new"
	[[ $(stat -c %s "$mnt2/new") == 3145728 ]]
	famfs mkdir -p "$mnt/a/b"
	famfs creat -s 1 "$mnt/a/b/c"
	find "$mnt2" | grep -q a/b/c
}

t_a_client_cannot_make_anything()
{
	mount.fuse.famfs -o client "$dev" "$mnt2"
	refuses "only the host that ran mkfs.famfs" famfs creat -s 1 "$mnt2/x"
	refuses "only the host that ran mkfs.famfs" famfs mkdir "$mnt2/x"
	refuses "Read-only" mkdir "$mnt2/x"
}

t_a_host_with_another_uuid_is_a_client()
{
	random_file "$work/src" 100000
	famfs cp "$work/src" "$mnt/f"
	famfs cp -w -m 666 "$work/src" "$mnt/open"
	unmount
	cp "$host_id" "$work/uuid"
	echo -n 00000000-1111-2222-3333-444444444444 >"$host_id"
	mount_famfs || { cp "$work/uuid" "$host_id"; false; }
	cp "$work/uuid" "$host_id"
	refuses "only the host" famfs creat -s 1 "$mnt/x"
	[[ $(stat -c %a "$mnt/f") == 444 && $(stat -c %a "$mnt/open") == 666 ]]
	refuses "Read-only" dd if=/dev/zero of="$mnt/f" count=1 conv=notrunc
	echo shared | dd of="$mnt/open" conv=notrunc status=none
	cmp "$work/src" "$mnt/f"
}

t_a_broken_entry_leaves_what_a_client_knows()
{
	random_file "$work/src" 100000
	famfs cp "$work/src" "$mnt/f"
	unmount
	mount_famfs -o client
	# The header counts an entry that is not there.
	printf '\3\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0' | dd of="$dev" bs=16 \
		oflag=seek_bytes seek=$((0x200000 + 32)) status=none conv=notrunc
	[[ ! -e $mnt/g ]]
	cmp "$work/src" "$mnt/f"
}
