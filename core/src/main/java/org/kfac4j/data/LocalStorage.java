package org.kfac4j.data;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Files of this machine: plain paths and {@code file:} URIs. */
public final class LocalStorage implements Storage {
  private static final long serialVersionUID = 1L;

  @Override
  public InputStream open(String uri) throws IOException {
    Path path = path(uri);
    if (!Files.isRegularFile(path)) {
      throw new FileNotFoundException("no such file: " + uri);
    }
    return Files.newInputStream(path);
  }

  @Override
  public OutputStream create(String uri) throws IOException {
    Path path = path(uri);
    Path parent = path.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    return Files.newOutputStream(path);
  }

  @Override
  public boolean exists(String uri) {
    return Files.exists(path(uri));
  }

  @Override
  public long length(String uri) throws IOException {
    return Files.size(path(uri));
  }

  @Override
  public List<String> list(String uri) throws IOException {
    Path path = path(uri);
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(path)) {
      return children.map(child -> child.getFileName().toString()).sorted().toList();
    }
  }

  @Override
  public void delete(String uri) throws IOException {
    Path path = path(uri);
    if (!Files.exists(path)) {
      return;
    }
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(path)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path each : deepestFirst) {
      Files.delete(each);
    }
  }

  private static Path path(String uri) {
    return uri.startsWith("file:") ? Path.of(URI.create(uri)) : Path.of(uri);
  }
}
