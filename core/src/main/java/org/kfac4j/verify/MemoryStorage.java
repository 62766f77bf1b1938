package org.kfac4j.verify;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.kfac4j.data.Storage;

/**
 * One file that is nowhere but in memory, for a reader: nothing can be written or deleted.
 *
 * @param name by which it is read
 */
record MemoryStorage(String name, byte[] bytes) implements Storage {
  @Override
  public InputStream open(String uri) throws IOException {
    if (!exists(uri)) {
      throw new FileNotFoundException("no such file: " + uri);
    }
    return new ByteArrayInputStream(bytes);
  }

  @Override
  public OutputStream create(String uri) {
    throw new UnsupportedOperationException("what is in memory is only read, not written: " + uri);
  }

  @Override
  public boolean exists(String uri) {
    return uri.equals(name);
  }

  @Override
  public long length(String uri) {
    return bytes.length;
  }

  @Override
  public List<String> list(String uri) {
    return List.of();
  }

  @Override
  public void delete(String uri) {
    throw new UnsupportedOperationException("what is in memory is only read, not deleted: " + uri);
  }
}
