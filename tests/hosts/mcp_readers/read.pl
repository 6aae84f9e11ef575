# What Perl's reader makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
use strict;
use warnings;
no warnings qw(utf8 recursion);
use JSON::PP;

my %key = (
    'tools/call' => 'name', 'prompts/get' => 'name',
    'resources/read' => 'uri', 'resources/subscribe' => 'uri', 'resources/unsubscribe' => 'uri',
    'tasks/get' => 'taskId', 'tasks/update' => 'taskId', 'tasks/cancel' => 'taskId',
);

sub field {
    my ($value) = @_;
    return '-' unless defined $value;
    return '?' if ref $value;
    utf8::encode($value);
    return '=' . unpack('H*', $value);
}

sub one {
    my ($message) = @_;
    return '-/-' unless ref $message eq 'HASH';
    my ($method, $params) = @{$message}{qw(method params)};
    my $key = defined $method && !ref $method ? $key{$method} : undef;
    my $name = defined $key && ref $params eq 'HASH' ? $params->{$key} : undef;
    return field($method) . '/' . field($name);
}

my @variants = (
    ['JSON::PP', sub { JSON::PP->new->utf8->decode($_[0]) }],
    ['JSON::PP, relaxed', sub { JSON::PP->new->utf8->relaxed->decode($_[0]) }],
    ['JSON::PP, loose', sub { JSON::PP->new->utf8->relaxed->loose->allow_singlequote->allow_barekey->decode($_[0]) }],
    ['JSON::PP, the first document', sub { (JSON::PP->new->utf8->decode_prefix($_[0]))[0] }],
);
$| = 1;
print join("\t", map { $_->[0] } @variants), "\n";
while (my $line = <STDIN>) {
    chomp $line;
    my $body = pack 'H*', $line;
    print join("\t", map {
        my $parsed = eval { $_->[1]->($body) };
        if ($@) { 'refused' }
        else { join(';', map { one($_) } ref $parsed eq 'ARRAY' ? @$parsed : ($parsed)) || 'none' }
    } @variants), "\n";
}
