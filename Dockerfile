# The image has one static binary and no shell. `make image` builds the binary and lays out the folder of the sources.
FROM scratch
COPY hubbub /hubbub
COPY certs /etc/ssl/certs
COPY --chown=65532:65532 tmp /tmp
COPY --chown=65532:65532 data /data
USER 65532:65532
ENV HUBBUB_ADDR=:8080 HUBBUB_DATA=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s CMD ["/hubbub", "health"]
ENTRYPOINT ["/hubbub"]
