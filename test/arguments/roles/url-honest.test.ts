import { describe, expect, it } from 'vitest';
import { urlRole } from '../../../src/arguments/roles/url.ts';
import { urlOptions } from '../../../src/arguments/roles/url-options.ts';

/** What people and programs send: none of it may be refused. */
const plain = `
https://example.com
https://example.com/
https://www.example.com/index.html
https://EXAMPLE.com/Path/With/Case
HTTPS://example.com/
Https://Example.Com/
https://example.com:443/
https://example.com:443
https://example.com?
https://example.com/?
https://example.com#
https://example.com/#
https://example.com?q=1
https://example.com#top
https://example.com/#/app/route?x=1
https://example.com/?q=a+b&lang=en
https://example.com/?q=a%20b%26c
https://example.com/?email=someone@example.org
https://example.com/?email=someone%40example.org
https://example.com/?next=https://other.example/path
https://example.com/?next=https%3A%2F%2Fother.example%2F
https://example.com/?redirect=http://127.0.0.1/
https://example.com/?q=100%
https://example.com/?q=%
https://example.com/?a[]=1&a[]=2
https://example.com/?a={b}
https://example.com/?q=select|from
https://example.com/?q="quoted"
https://example.com/?q='quoted'
https://example.com/?q=<b>
https://example.com/?q=a;b;c
https://example.com/?q=$HOME
https://example.com/?q=..
https://example.com/?file=../x
https://example.com/?t=12:30:00
https://example.com/search?q=caf\u00e9
https://example.com/search?q=%E6%97%A5%E6%9C%AC
https://example.com/caf\u00e9
https://example.com/\u65e5\u672c\u8a9e/\u8def
https://example.com/\u{1f600}
https://example.com/#\u00fcber
https://example.com/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p
https://example.com/@user/post-1
https://medium.com/@someone/a-title-1a2b3c4d5e6f
https://www.npmjs.com/package/@scope/name
https://registry.npmjs.org/@scope%2fname
https://example.com/~user/
https://example.com/a//b
https://example.com//a
https://example.com/a.b.c
https://example.com/...
https://example.com/.well-known/openid-configuration
https://example.com/.git
https://example.com/..a
https://example.com/a..b
https://example.com/file.tar.gz
https://example.com/a;b=c/d
https://example.com/a,b
https://example.com/a:b
https://example.com/a(b)c
https://example.com/a'b
https://example.com/a!b*c
https://example.com/a+b
https://example.com/%7Euser
https://example.com/a%2Fb
https://example.com/a%20b
https://example.com/%E2%9C%93
https://example.com/a%252Fb
https://example.com/50%
https://example.com/1.2.3.4
https://example.com/127.0.0.1
https://example.com/localhost
https://example.com/http://other.example/
https://web.archive.org/web/20200101000000/http://example.com/
https://web.archive.org/web/2020*/example.com
https://en.wikipedia.org/wiki/Server-side_request_forgery
https://en.wikipedia.org/wiki/C++
https://en.wikipedia.org/wiki/AC/DC
https://en.wikipedia.org/wiki/Foo_(bar)
https://en.wikipedia.org/wiki/Caf%C3%A9#History
https://de.wikipedia.org/wiki/M\u00fcnchen
https://ja.wikipedia.org/wiki/%E6%9D%B1%E4%BA%AC
https://ru.wikipedia.org/wiki/\u041c\u043e\u0441\u043a\u0432\u0430
https://fa.wikipedia.org/wiki/\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645
https://github.com/owner/repo
https://github.com/owner/repo.git
https://github.com/owner/repo/blob/main/src/index.ts#L10-L20
https://github.com/owner/repo/issues?q=is%3Aopen+label%3Abug
https://github.com/owner/repo/compare/v1.0.0...v1.1.0
https://github.com/owner/repo/pull/1/files#diff-0a1b2c
https://raw.githubusercontent.com/owner/repo/main/README.md
https://api.github.com/repos/owner/repo/contents/a%20b.txt?ref=main
https://owner.github.io/repo/
https://gist.github.com/owner/0123456789abcdef0123456789abcdef
https://gitlab.com/group/sub/project/-/merge_requests/1
https://bitbucket.org/team/repo/src/master/
https://stackoverflow.com/questions/1234567/how-to?answertab=votes#tab-top
https://docs.python.org/3/library/urllib.parse.html#urllib.parse.urlparse
https://docs.rs/serde/1.0.0/serde/
https://pkg.go.dev/net/http#Client.Do
https://developer.mozilla.org/en-US/docs/Web/API/URL
https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
https://www.google.com/search?q=url+parser&hl=en&num=10
https://www.google.com/maps/@48.8583701,2.2944813,17z
https://www.google.com/maps/place/Eiffel+Tower/@48.85,2.29,17z/data=!3m1!4b1!4m6
https://maps.app.goo.gl/abcDEF123
https://docs.google.com/document/d/1a2B3c/edit?usp=sharing
https://drive.google.com/file/d/1a2B3c/view
https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s
https://youtu.be/dQw4w9WgXcQ
https://twitter.com/someone/status/1234567890
https://x.com/someone
https://t.co/abc123
https://bit.ly/3abcDEF
https://www.linkedin.com/in/some-one-0123/
https://www.reddit.com/r/typescript/comments/abc123/title/?utm_source=share
https://news.ycombinator.com/item?id=1
https://arxiv.org/abs/1706.03762v7
https://arxiv.org/pdf/1706.03762.pdf
https://doi.org/10.1000/182
https://doi.org/10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O
https://pubmed.ncbi.nlm.nih.gov/12345678/
https://huggingface.co/org/model/resolve/main/config.json
https://hub.docker.com/_/node
https://bucket.s3.amazonaws.com/key
https://my_bucket.s3.amazonaws.com/key
https://bucket.s3.eu-central-1.amazonaws.com/a/b.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Signature=0123
https://storage.googleapis.com/bucket/object
https://account.blob.core.windows.net/container/blob?sv=2024-01-01&sig=a%2Bb%3D
https://ec2-52-95-110-1.eu-west-1.compute.amazonaws.com/
https://abc123.execute-api.us-east-1.amazonaws.com/prod/items
https://abc-def-uc.a.run.app/
https://0a1b2c3d.project.pages.dev/
https://project-git-main-team.vercel.app/
https://deploy-preview-12--site.netlify.app/
https://tenant.sharepoint.com/:w:/s/team/abc?e=123
https://northcentralus1-mediap.svc.ms/transform/thumbnail?provider=spo
https://r3---sn-4g5e6nz7.googlevideo.com/videoplayback?id=1
https://team.slack.com/archives/C0123/p1234567890
https://hooks.slack.com/services/T000/B000/XXXX
https://acme.atlassian.net/browse/ABC-123
https://acme.atlassian.net/wiki/spaces/X/pages/1/Title+here
https://www.notion.so/acme/Page-0123456789abcdef
https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=0&redirect_uri=http%3A%2F%2Flocalhost%3A3000
https://accounts.google.com/o/oauth2/v2/auth?scope=openid%20email&redirect_uri=https://app.example/cb
https://api.openai.com/v1/chat/completions
https://api.stripe.com/v1/charges?limit=3&created[gt]=1
https://api.weather.gov/points/39.7456,-97.0892
https://api.example.co.uk/v2/items/1;version=2
https://sub.sub2.sub3.sub4.example.museum/
https://xn--mnchen-3ya.de/
https://m\u00fcnchen.de/
https://M\u00dcNCHEN.de/
https://stra\u00dfe.de/
https://xn--fiqs8s.cn/
https://\u4e2d\u56fd.cn/
https://\u4f8b\u3048.\u30c6\u30b9\u30c8.jp/
https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/
https://xn--e1afmkfd.xn--p1ai/
https://\u05d3\u05d5\u05d2\u05de\u05d4.co.il/
https://\u0645\u062b\u0627\u0644.com/
https://\u1f10\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac.gr/
https://b\u00fccher.example/caf\u00e9?q=\u00e9#\u00e9
https://\u{1f600}.ws/
https://1.example.com/
https://123.example.com/
https://1.2.3.example.com/
https://3com.com/
https://0x7f.example.com/
https://0.pool.ntp.org/
https://8.8.8.8/
https://1.1.1.1/dns-query?name=example.com
https://93.184.215.14/
https://9.9.9.9:443/dns-query
https://[2606:4700:4700::1111]/dns-query
https://[2001:4860:4860::8888]/
https://[2A00:1450:4001:81B::200E]/
https://[2620:fe::fe]:443/dns-query
https://localhost.run/
https://internal.example.com/
https://local.example.com/
https://intranet.example.com/
https://metadata.example.com/
https://corp.example.com/
https://test.example.com/
https://svc.example.com/
https://home.example/
https://mail.example/
https://nip.io.example.com/
https://notlocalhost.com/
https://mylocal.example/
`
  .trim()
  .split('\n');

const fitted: readonly (readonly [object, string])[] = [
  [{ schemes: ['http', 'https'] }, 'http://example.com/'],
  [{ schemes: ['http', 'https'] }, 'http://example.com:80/a'],
  [{ schemes: ['http'] }, 'http://neverssl.com'],
  [{ ports: [443, 8443] }, 'https://example.com:8443/api'],
  [{ ports: [8080], schemes: ['http'] }, 'http://example.com:8080/'],
  [{ schemes: ['wss'] }, 'wss://stream.example.com/ws?token=a@b'],
  [{ schemes: ['ftp'] }, 'ftp://ftp.example.com/pub/file.txt'],
  [{ userinfo: 'allow' }, 'https://user:p%40ss@example.com/'],
  [{ userinfo: 'allow' }, 'https://token@example.com/owner/repo.git'],
  [{ hosts: ['**.example.com', 'example.com'] }, 'https://a.b.example.com/'],
  [{ hosts: ['**.example.com', 'example.com'] }, 'https://example.com/'],
  [{ hosts: ['github.com'], paths: ['/acme/**'] }, 'https://github.com/acme/repo/blob/main/a.ts'],
  [{ addresses: 'listed', hosts: ['grafana.lan'], schemes: ['http'] }, 'http://grafana.lan/'],
  [{ addresses: 'any', schemes: ['http'], ports: [3000] }, 'http://localhost:3000/'],
  [{ maxLength: 8192 }, `https://example.com/?q=${'a'.repeat(5000)}`],
  [{}, `https://example.com/${'segment/'.repeat(200)}`],
  [{}, `https://example.com/?q=${'%20'.repeat(600)}`],
];

describe('url: honest URLs', () => {
  it('passes them all by default', () => {
    const role = urlRole.compile(urlOptions.parse({}));
    expect(plain.length).toBeGreaterThanOrEqual(150);
    const refused = plain.flatMap((text) => {
      const fault = role.judge(text);
      return fault === undefined ? [] : [`${text}: ${fault.fault}`];
    });
    expect(refused).toEqual([]);
  });

  it.each(fitted)('with %j passes %s', (options, text) => {
    expect(urlRole.compile(urlOptions.parse(options)).judge(text)).toBeUndefined();
  });
});
