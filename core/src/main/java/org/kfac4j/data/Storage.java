package org.kfac4j.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.List;

/** Where files are read from and written to, by URI or path. Travels to executors. */
public interface Storage extends Serializable {
  /**
   * Opens a file for reading.
   *
   * @throws java.io.FileNotFoundException if there is no such file
   */
  InputStream open(String uri) throws IOException;

  /**
   * Creates or replaces a file, with its parent folders. {@code flush} makes what was written
   * visible to readers where the file system can.
   */
  OutputStream create(String uri) throws IOException;

  boolean exists(String uri) throws IOException;

  /** Bytes in a file. */
  long length(String uri) throws IOException;

  /** Names (not paths) of what a folder holds, sorted; empty if there is no such folder. */
  List<String> list(String uri) throws IOException;

  /** Deletes a file or a folder with all it holds; does nothing if it does not exist. */
  void delete(String uri) throws IOException;

  /** {@code folder} and {@code name} joined by one slash. */
  static String resolve(String folder, String name) {
    return folder.endsWith("/") ? folder + name : folder + "/" + name;
  }
}
