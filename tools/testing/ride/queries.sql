-- SPDX-License-Identifier: Apache-2.0
.print What are the largest parts of this source?
SELECT printf('  %-10s %6d files %8d lines', part, count(*), sum(lines))
	FROM (SELECT substr(path, 1, instr(path, '/') - 1) AS part, lines FROM file)
	GROUP BY part ORDER BY sum(lines) DESC LIMIT 4;
.print Where is struct iomap defined?
SELECT printf('  %s:%d', path, line) FROM symbol JOIN file ON file = id
	WHERE name = 'iomap' AND kind = 'struct';
.print How many files speak of dax? (This reads all of the text.)
SELECT printf('  %d of %d', sum(text LIKE '%dax%'), count(*)) FROM file;
.print Is the database sound, page by page?
SELECT '  ' || quick_check FROM pragma_quick_check;
