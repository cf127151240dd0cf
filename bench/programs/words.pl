# Text processing: words counted, indexed by hashes of arrays, sorted, substituted.
use strict;
use warnings;

my $scale = shift;
my $state = 7;

sub number {
    my ($limit) = @_;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return $state % $limit;
}

my $checksum = 0;
for my $round (1 .. int(4 * $scale) || 1) {
    my (%count, %where, @lines);
    for my $line (1 .. 10000) {
        push @lines, join ' ', map { "word" . number(20000) } 1 .. 10;
    }
    for my $at (0 .. $#lines) {
        for my $word (split / /, $lines[$at]) {
            $count{$word}++;
            push @{ $where{$word} }, $at;
        }
    }
    my @order = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
    my $text = join "\n", @lines;
    $text =~ s/word(\d+)7\b/<$1>/g;
    my %records = map { $_ => { name => $_, uses => [ @{ $where{$_} } ] } } @order;
    $checksum += @order + length($text) + scalar keys %records;
}
print "$checksum\n";
