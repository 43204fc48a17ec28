"""nginx in a directory of its own: what has to stand around a block that our documents show."""

_AROUND = """
daemon off;
worker_processes 1;
pid pid;
error_log error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {block}
}}
"""


def nginx_configuration(block):
    """Run it by `nginx -p DIRECTORY -c nginx.conf`."""
    return _AROUND.format(block=block)
