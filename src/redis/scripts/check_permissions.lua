-- Checks that the user may run on this node what the other scripts run on a partition.
--
-- KEYS  none: the node may serve no partition
-- ARGV  1, 2 a key like those of the indexes and records, a key like that of the feed   3 the key of the layout
-- Reply {'allowed'}   {'denied', command}

return denied_in_partition(ARGV[1], ARGV[2])
    or denied({ { 'getrange', ARGV[3], '0', '0' }, { 'set', ARGV[3], '' } })
    or { 'allowed' }
