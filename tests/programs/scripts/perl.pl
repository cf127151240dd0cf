# Hashes, strings that grow, regular expressions, sorting, closures, sprintf, fork and pipes.
use strict;
use warnings;

my %words;
my $seed = 1;
for my $n (1 .. 100_000) {
    $seed = ($seed * 1103515245 + 12345) % 2147483648;
    push @{ $words{ $seed % 1009 } }, $n;
}
print join(",", map { "$_:" . @{ $words{$_} } } (sort { $a <=> $b } keys %words)[0 .. 9]), "\n";

my $text = "";
$text .= chr(97 + $_ % 26) x ($_ % 50) for 1 .. 5000;
print length($text), " ", scalar(() = $text =~ /(.)\1{20,}/g), "\n";
(my $other = $text) =~ s/([aeiou]+)/<$1>/g;
print length($other), " ", substr($other, 5000, 40), "\n";

my @tree = (1);
@tree = ([@tree], { depth => $_, up => [@tree] }) for 1 .. 12;
sub size { my $t = shift; ref $t eq 'ARRAY' ? do { my $s = 1; $s += size($_) for @$t; $s }
    : ref $t eq 'HASH' ? 1 + size($t->{up}) : 1 }
print size(\@tree), "\n";

my @count = map { my $n = $_; sub { $n += shift } } 1 .. 1000;
my $sum = 0;
$sum += $_->(2) for @count, @count;
print "$sum\n";

my @sorted = sort { length $a <=> length $b or $a cmp $b } map { $_ * 7919 % 100_003 } 1 .. 50_000;
print "@sorted[0 .. 5] @sorted[-3 .. -1]\n";
printf "%s\n", join "", map { sprintf "%05.1f|", $_ / 7 } 1 .. 20;

$| = 1;
for my $n (1 .. 5) {
    pipe my $in, my $out or die;
    my $child = fork // die;
    if (!$child) {
        close $in;
        my @mine = map { "$_" x 10 } 1 .. 1000 * $n;
        print $out scalar(@mine), "\n";
        close $out;
        exit 0;
    }
    close $out;
    print "child: ", <$in>;
    waitpid $child, 0;
    die if $?;
}
