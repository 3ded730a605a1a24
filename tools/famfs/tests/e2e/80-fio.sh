# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

# verified ENGINE [OPTION]...: fio writes blocks with checksums all over a file,
# in random order, and reads them back. It would make files of another size.
verified()
{
	local engine=$1

	shift
	fio --enghelp | grep -qw "$engine" || {
		echo "this fio has no engine $engine: the guest wants Debian's"
		return 1
	}
	fio --name="$engine" --ioengine="$engine" --filename="$mnt/f" --size=8M \
		--rw=randwrite --bsrange=512-64k --blockalign=512 --norandommap=0 \
		--verify=crc32c --do_verify=1 --verify_fatal=1 --allow_file_create=0 \
		--fallocate=none --randseed=1 --verify_state_save=0 \
		"$@"
}

t_fio_verifies_writes()
{
	famfs creat -s 8M "$mnt/f"
	verified sync
	verified psync --direct=1
}

t_fio_verifies_asynchronous_writes_by_libaio()
{
	famfs creat -s 8M "$mnt/f"
	verified libaio --iodepth=8 --direct=1 --size=4M
}

t_fio_verifies_asynchronous_writes_by_io_uring()
{
	famfs creat -s 8M -i -c 64K "$mnt/f"
	verified io_uring --iodepth=8 --size=4M
	verified io_uring --iodepth=8 --size=4M --direct=1 --registerfiles=1
}

t_fio_verifies_stores_to_a_mapping()
{
	famfs creat -s 8M -i -c 64K "$mnt/f"
	verified mmap --bs=4k --bsrange=4k-4k
}

t_fio_verifies_several_writers()
{
	famfs creat -s 8M -i -c 4K "$mnt/f"
	verified psync --numjobs=2 --size=4M --offset_increment=4M
}
